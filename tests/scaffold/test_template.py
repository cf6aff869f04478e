"""The template at the commit that the answers of a service name."""

import os
from contextlib import chdir
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


def test_commit_that_is_gone_is_refused(template: Path) -> None:
    with (
        pytest.raises(
            Refused, match=f"cannot be fetched from {template}.*run `copier update` first"
        ),
        fetched({"_src_path": str(template)}, "9.9.9"),
    ):
        pass


def test_repository_that_cannot_be_cloned_is_named_with_the_reason_of_git() -> None:
    source = "https://own:s3cret@127.0.0.1:1/own.git"
    with pytest.raises(Refused) as refused, fetched({"_src_path": source}, ""):
        pass
    assert "(fatal: unable to access 'https://127.0.0.1:1/own.git" in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("source", ["template/gone", "/template/gone", "~/template/gone"])
def test_folder_that_is_gone_is_refused(source: str) -> None:
    with (
        pytest.raises(Refused, match=f"no template in {source}.* URL or absolute path there"),
        fetched({"_src_path": source}, ""),
    ):
        pass


@pytest.mark.parametrize("folder", ["", "service"])
def test_relative_path_starts_at_the_current_folder(template: Path, folder: str) -> None:
    commit_of_answers = git(template, "rev-parse", "HEAD").strip()
    current = template.parent / folder
    current.mkdir(exist_ok=True)
    source = os.path.relpath(template, current)
    with chdir(current), fetched({"_src_path": source}, commit_of_answers) as copy:
        assert (copy / "includes" / "scaffold").is_dir()
