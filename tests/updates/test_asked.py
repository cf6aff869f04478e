"""What an update asks, in a terminal of 80 columns and 24 lines."""

import shutil
from pathlib import Path

import pytest

from harness.projects import Project, Template, releases
from harness.rendering import COPIER
from harness.terminal import Terminal
from harness.variants import QUESTIONS


@pytest.mark.nightly
def test_update_that_skips_answered_questions_asks_only_new_ones(
    upstream: Template, tmp_path: Path
) -> None:
    *_, version = releases()
    project = Project.copy(upstream, tmp_path / "project", version)
    unasked = Project(shutil.copytree(project.folder, tmp_path / "unasked"))
    terminal = Terminal([*COPIER, "update", "--skip-answered", "-d", "auth=jwt"], project.folder)
    for name in ("newest_migration", "existing_rows"):
        question = QUESTIONS[name]
        help_ = question["help"].replace("{{ unowned_tables | join(', ') }}", "projects")
        for text in (*help_.splitlines(), *question.get("choices", ())):
            terminal.wait_for(text)
        if name == "newest_migration":
            terminal.send("-\r")
            message = "Copy it from `alembic heads`."
            terminal.wait_for(f"Validation error for question '{name}': {message}")
            terminal.send("\b")
        terminal.send("\r")
    terminal.end()
    unasked.update(auth="jwt")
    assert project.files() == unasked.files()
    assert (project.folder / "app" / "auth.py").exists()
