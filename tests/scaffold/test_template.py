"""The template at the commit that the answers of a service name."""

from pathlib import Path

import pytest
from scaffolding.errors import Refused
from scaffolding.template import fetched

from harness.projects import commit, git


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with two versions; only the newer one can render resources."""
    folder = tmp_path / "template"
    folder.mkdir()
    (folder / "copier.yml").write_text("_subdirectory: template\n")
    commit(folder)
    git(folder, "tag", "1.0.0")
    (folder / "includes" / "scaffold").mkdir(parents=True)
    (folder / "includes" / "scaffold" / "models.py.jinja").write_text("one")
    commit(folder)
    return folder


def test_template_is_fetched_at_a_described_commit(template: Path) -> None:
    described = git(template, "describe", "--tags").strip()
    assert described.startswith("1.0.0-1-g")
    (template / "includes" / "scaffold" / "models.py.jinja").write_text("two")
    commit(template)
    with fetched({"_src_path": str(template)}, described) as folder:
        assert (folder / "includes" / "scaffold" / "models.py.jinja").read_text() == "one"


def test_template_without_git_is_used_as_it_is(template: Path) -> None:
    git(template, "rev-parse", "HEAD")
    copy = template.with_name("copy")
    (copy / "includes" / "scaffold").mkdir(parents=True)
    with fetched({"_src_path": str(copy)}, "") as folder:
        assert (folder / "includes" / "scaffold").is_dir()
        assert folder != copy


def test_older_template_is_refused(template: Path) -> None:
    with (
        pytest.raises(Refused, match=r"run `copier update`, to 2\.8\.0 or later"),
        fetched({"_src_path": str(template)}, "1.0.0"),
    ):
        pass


@pytest.mark.parametrize("commit_of_answers", ["", "9.9.9"])
def test_template_that_is_gone_is_refused(template: Path, commit_of_answers: str) -> None:
    source = template if commit_of_answers else template / "gone"
    with (
        pytest.raises(Refused, match=f"cannot be fetched from {source}.*run `copier update` first"),
        fetched({"_src_path": str(source)}, commit_of_answers),
    ):
        pass
