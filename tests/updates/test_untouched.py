"""Projects without edits: an update renders what a fresh copy renders."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.projects import Project, Template, git, without_additions
from harness.variants import Variant


def test_update_equals_a_fresh_copy(
    upstream: Template, tmp_path: Path, version: str, updated: Variant
) -> None:
    project = Project.copy(upstream, tmp_path / "project", version, **updated.answers)
    # The version may not have asked all of these questions.
    project.update(**updated.answers)
    fresh = Project.copy(upstream, tmp_path / "fresh", **updated.answers)
    assert without_additions(project.files()) == without_additions(fresh.files())
    assert project.conflicts() == set()


@pytest.mark.nightly
def test_command_makes_the_same_files_as_the_copier_of_these_tests(
    upstream: Template, tmp_path: Path
) -> None:
    """Here, Copier is sped up (`harness/copier_speed.py`), which must change nothing else."""
    patched = Project.copy(upstream, tmp_path / "patched", "1.0.0", auth="jwt")
    patched.replace("README.md", "An async API service.", "It keeps gardens.")
    patched.commit()
    command = Project(shutil.copytree(patched.folder, tmp_path / "command"))
    patched.update(sync_session=True)
    copier = [sys.executable, "-m", "copier", "update", "--trust", "--defaults", "--quiet"]
    subprocess.run([*copier, "--data=sync_session=true", str(command.folder)], check=True)
    assert "_commit: 9998" in command.files()[".copier-answers.yml"]
    assert "It keeps gardens." in command.files()["README.md"]
    assert command.files() == patched.files()
    assert index(command) == index(patched)


def index(project: Project) -> str:
    """The files in git's index, with their modes and contents."""
    git(project.folder, "add", "--all")
    return git(project.folder, "ls-files", "--stage")
