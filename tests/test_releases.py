"""The release table, which updates start from, and the script of the release workflow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from harness.projects import git, releases
from harness.rendering import ROOT

SCRIPT = (sys.executable, "scripts/releases.py")


def test_versions_follow_pep_440_in_ascending_order() -> None:
    versions = [Version(version) for version in releases()]
    assert [str(version) for version in versions] == list(releases())
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("version", releases())
def test_commit_of_a_release_is_in_the_history_and_describes_it(version: str) -> None:
    commit = releases()[version]
    git(ROOT, "merge-base", "--is-ancestor", commit, "HEAD")
    changelog = git(ROOT, "show", f"{commit}:CHANGELOG.md")
    # 1.0.0 was released without the brackets.
    assert re.search(rf"^## \[?{re.escape(version)}\]? - ", changelog, re.MULTILINE)
    assert f'\nversion = "{version}"\n' in git(ROOT, "show", f"{commit}:pyproject.toml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without tags, with the script and the table of the work tree."""
    clone = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", "--no-tags", "--no-checkout", str(ROOT), str(clone))
    for name in ("scripts/releases.py", "releases.toml", "CHANGELOG.md"):
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text((ROOT / name).read_text())
    return clone


def run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((*SCRIPT, *arguments), cwd=clone, capture_output=True, text=True)


def test_each_version_is_published_once(clone: Path) -> None:
    rows = [line.split() for line in run(clone, "untagged").stdout.splitlines()]
    assert dict(rows) == releases()
    for version, commit in rows:
        git(clone, "tag", version, commit)
    assert run(clone, "untagged").stdout == ""


@pytest.mark.parametrize("version", releases())
def test_notes_are_the_section_of_the_changelog(clone: Path, version: str) -> None:
    notes = run(clone, "notes", version).stdout
    assert notes.startswith("### ")
    assert "\n## " not in notes


def test_version_without_a_changelog_section_is_an_error(clone: Path) -> None:
    result = run(clone, "notes", "77.0.0")
    assert result.returncode == 1
    assert "CHANGELOG.md has no section for 77.0.0" in result.stderr
