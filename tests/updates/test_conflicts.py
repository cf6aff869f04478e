"""Conflicts: both versions are in the file, nothing is lost, and the checks reject it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import GIT, NEXT, WORK_TREE, Project, Template, commit, git
from harness.rendering import COPIER
from harness.services import UV, InEnvironment
from tests.updates import owner
from tests.updates.future_releases import add_column_with_migration, add_setting, change_readme

LINE = "    slow_query_seconds: float = Field({}, ge=0, le=3600)\n"


@pytest.fixture
def in_conflict(own_upstream: Template, tmp_path: Path) -> Project:
    """A project after an update that changed an edited line, with another edit elsewhere."""
    project = Project.copy(own_upstream, tmp_path / "project")
    project.replace("app/settings.py", LINE.format("0.5"), LINE.format("0.25"))
    project.replace("app/settings.py", "docs: bool = False", "docs: bool = True")
    project.commit()
    own_upstream.replace("template/app/settings.py.jinja", LINE.format("0.5"), LINE.format("0.75"))
    own_upstream.replace(
        "template/app/settings.py.jinja", "port: int = Field(8000", "port: int = Field(8001"
    )
    own_upstream.release(NEXT)
    message = project.update()
    assert "git diff --name-only --diff-filter=U" in message
    return project


def sides(project: Project) -> tuple[str, str, str, str]:
    """The text before the conflict, the owner's lines, the template's lines, and the text after."""
    text = (project.folder / "app" / "settings.py").read_text()
    before, _, rest = text.partition("<<<<<<< before updating\n")
    yours, _, rest = rest.partition("=======\n")
    theirs, _, after = rest.partition(">>>>>>> after updating\n")
    return before, yours, theirs, after


def test_conflict_is_listed_and_both_versions_are_in_the_file(in_conflict: Project) -> None:
    assert in_conflict.conflicts() == {"app/settings.py"}
    assert in_conflict.changed() == {".copier-answers.yml", "app/settings.py"}
    before, yours, theirs, after = sides(in_conflict)
    assert (yours, theirs) == (LINE.format("0.25"), LINE.format("0.75"))
    # The other changes are merged.
    assert "docs: bool = True" in before
    assert "port: int = Field(8001" in before
    assert "<<<<<<<" not in after


@pytest.mark.nightly
@pytest.mark.xdist_group("mypy")  # one worker fills the cache
def test_checks_reject_conflicts_until_they_are_resolved(
    in_conflict: Project, in_environment: InEnvironment
) -> None:
    guide = (in_conflict.folder / "docs" / "updating.md").read_text()
    [line] = re.findall(r"^git add --all .*$", guide, re.MULTILINE)
    line = line.replace("uv run", f"{UV} run --no-sync").replace(
        "git commit", f"{' '.join(GIT)} commit"
    )
    service = in_environment(in_conflict.folder)
    assert "app/settings.py:" in service.fail("sh", "-c", line)
    in_conflict.commit()  # git accepts the markers
    assert "app/settings.py" in service.uv_run_failing(*PRE_COMMIT)
    before, yours, _, after = sides(in_conflict)
    (in_conflict.folder / "app" / "settings.py").write_text(before + yours + after)
    service.succeed("sh", "-c", line)
    assert in_conflict.changed() == set()


PRE_COMMIT = ("pre-commit", "run", "--all-files", "conflict-markers")


def test_update_can_be_undone_with_the_documented_command(in_conflict: Project) -> None:
    (in_conflict.folder / "app" / "added.py").touch()
    in_conflict.undo_update()
    assert in_conflict.changed() == set()
    assert in_conflict.update()  # and can be repeated
    assert in_conflict.conflicts() == {"app/settings.py"}


def test_undoing_an_update_keeps_changes_elsewhere_in_the_repository(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "monorepo" / "mine")
    shutil.rmtree(project.folder / ".git")
    elsewhere = tmp_path / "monorepo" / "README.md"
    elsewhere.write_text("committed\n")
    commit(tmp_path / "monorepo")
    elsewhere.write_text("not committed\n")
    elsewhere.with_name("new.md").write_text("untracked\n")
    project.update(description="Another sentence.", driver="asyncpg")
    assert project.changed() != set()
    project.undo_update()
    assert project.changed() == set()
    assert elsewhere.read_text() == "not committed\n"
    assert elsewhere.with_name("new.md").exists()


def test_recovery_changes_no_migration(upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(upstream, tmp_path / "project")
    project.update(auth="jwt")
    project.commit()
    recopy(project)
    assert project.changed() == set()


def recopy(project: Project) -> str:
    """Run `copier recopy`; returns its output."""
    command = [*COPIER, "recopy", "--overwrite", "--defaults"]
    result = subprocess.run(
        command, cwd=project.folder, check=True, stderr=subprocess.PIPE, text=True
    )
    return result.stderr


def test_service_recovers_when_its_version_of_the_template_is_gone(
    own_upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(own_upstream, tmp_path / "project")
    change_readme(own_upstream)
    own_upstream.release(NEXT)
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    (project.folder / "app" / "mine.py").write_text('"""Mine."""\n')
    secret = (project.folder / ".env").read_text()
    project.commit()
    git(own_upstream.folder, "tag", "--delete", WORK_TREE)
    with pytest.raises(Exception, match=re.escape(WORK_TREE)):
        project.update()
    git(project.folder, "reset", "--hard")
    message = recopy(project)
    # Committing everything, as after a copy, would commit the loss of edits.
    assert "git restore --patch . ':!.copier-answers.yml'" in message
    assert "git status --short" in message
    assert "git commit" not in message
    fresh = Project.copy(own_upstream, tmp_path / "fresh", NEXT).files()
    assert "uvx copier recopy --overwrite" in fresh["docs/updating.md"]
    assert project.files() == dict(fresh) | {"app/mine.py": '"""Mine."""\n'}
    assert (project.folder / ".env").read_text() == secret
    # The last commit has the overwritten edits.
    git(project.folder, "restore", "README.md")
    assert "It keeps the plans of a garden." in project.files()["README.md"]


def test_dirty_work_tree_is_refused_and_left_unchanged(upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(upstream, tmp_path / "project", "1.0.0")
    project.replace("README.md", "An async API service.", "Not committed yet.")
    with pytest.raises(Exception, match="dirty"):
        project.update()
    assert project.changed() == {"README.md"}


def reformatted(template: Template, folder: Path, line_length: int) -> Project:
    project = Project.copy(template, folder)
    project.replace("pyproject.toml", "line-length = 100", f"line-length = {line_length}")
    owner.tidy(project)
    assert len(project.changed()) > 20
    project.commit()
    return project


@pytest.mark.parametrize("line_length", [nightly(79), 120])
def test_reformatted_project_gets_changes_of_other_lines(
    own_upstream: Template, tmp_path: Path, line_length: int
) -> None:
    project = reformatted(own_upstream, tmp_path / "project", line_length)
    add_column_with_migration(own_upstream)
    add_setting(own_upstream)
    own_upstream.release(NEXT)
    project.update()
    assert project.conflicts() == set()
    assert project.changed() == {
        ".copier-answers.yml",
        ".env.example",
        "app/models.py",
        "app/settings.py",
        "migrations/versions/0002_estimates.py",
    }
    project.commit()
    owner.tidy(project)
    assert project.changed() == set()


def test_changes_of_reformatted_lines_are_conflicts_with_both_versions(
    upstream: Template, tmp_path: Path
) -> None:
    project = reformatted(upstream, tmp_path / "project", 79)
    before = project.files()
    project.update(driver="asyncpg")
    fresh = Project.copy(upstream, tmp_path / "fresh", driver="asyncpg").files()
    conflicts = project.conflicts()
    assert "app/settings.py" in conflicts
    for name in conflicts:
        assert "<<<<<<< before updating" in project.files()[name]
        assert git(project.folder, "show", f":2:{name}") == before[name]
        assert git(project.folder, "show", f":3:{name}") == fresh[name]
