"""Projects without edits: an update renders what a fresh copy renders."""

from pathlib import Path

from harness.projects import Project, Template
from harness.variants import Variant


def test_update_equals_a_fresh_copy(
    upstream: Template, tmp_path: Path, version: str, updated: Variant
) -> None:
    project = Project.copy(upstream, tmp_path / "project", version, **updated.answers)
    # The version may not have asked all of these questions.
    project.update(**updated.answers)
    fresh = Project.copy(upstream, tmp_path / "fresh", **updated.answers)
    assert project.files() == fresh.files()
    assert project.conflicts() == set()
