"""Sentences that end the tool in a service, before anything is written."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from scaffolding.checks import check_owner
from scaffolding.errors import Refused
from scaffolding.fields import parse_fields
from scaffolding.runs import etag_is_lost
from scaffolding.service import Service, explain

from harness.projects import commit
from tests.scaffold.conftest import Owner

ANSWERS = "_src_path: nowhere\nstructure: flat\ndriver: aiosqlite\n"
INVOICE = '{"invoice": {"plural": "invoices", "runs": [%s]}}'
RUN = '{"fields": ["number:str"], "commit": "", "revisions": ["1"], "files": {}}'


@pytest.fixture
def folder(tmp_path: Path) -> Owner:
    """A folder with the answers of a service, and nothing else."""
    (tmp_path / ".copier-answers.yml").write_text(ANSWERS)
    (tmp_path / "app").mkdir()
    return Owner(tmp_path, {})


def test_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    sentence = Owner(tmp_path, {}).refused("invoice", "number:str")
    assert sentence.endswith("run this in the folder of a service.")


@pytest.mark.parametrize("version", ["1.0.0", "v2.7.0"])
def test_service_of_an_older_release_is_updated_first(folder: Owner, version: str) -> None:
    (folder.folder / ".copier-answers.yml").write_text(f"{ANSWERS}_commit: {version}\n")
    assert "run `copier update`, to 2.8.0 or later" in folder.refused("invoice", "number:str")


def test_service_whose_package_was_renamed_is_refused(folder: Owner) -> None:
    (folder.folder / "app").rename(folder.folder / "shop")
    assert folder.refused("invoice", "number:str").startswith("There is no package `app`")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            'File "app/api.py", line 7\n  def (\nSyntaxError: invalid syntax',
            "(SyntaxError: invalid syntax in app/api.py line 7): correct it, and run this again.",
        ),
        (
            "alembic.util.exc.CommandError: Multiple head revisions are present for given argument",
            "The migrations have more than one head: run `uv run alembic merge heads`, and run",
        ),
        ("ModuleNotFoundError: No module named 'x'", "(ModuleNotFoundError: No module named 'x'):"),
    ],
)
def test_service_that_cannot_be_imported_is_named_with_the_place(
    output: str, sentence: str
) -> None:
    assert sentence in explain(output)


@pytest.mark.parametrize("text", ["[]", "_src_path: x\n", "a: [", "\x00"])
def test_answers_of_something_else_are_refused(folder: Owner, text: str) -> None:
    (folder.folder / ".copier-answers.yml").write_text(text)
    assert folder.refused("invoice", "number:str").startswith(".copier-answers.yml ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("invoice",), "Name at least one field to add"),
        (("invoice", "number:str", "--undo"), "leave the fields out"),
        (("invoice", "--undo"), "This tool did not add invoice"),
        (("invoice", "number:str"), "run `uv sync`"),
        (("Invoice", "number:str"), "as in invoice"),
    ],
)
def test_arguments_are_checked_first(
    folder: Owner, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in folder.refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("number:int",), "The field number is given twice"),
        (("a:int", "--plural", "invoicez"), "The plural of invoice is invoices already"),
        (("due:date",), "Existing rows have no due: add it as due:date:optional, fill it"),
        (("key:uuid",), "Existing rows have no key"),
        (("title:str",), "Existing rows have no title: add it as title:str:optional, fill it"),
        (("note:text",), "Existing rows have no note: add it as note:text:optional, fill it"),
        (("project:ref",), "Existing rows have no project: add it as project:ref:optional"),
        (("code:int:unique",), "would all have the same code: add it as code:int:unique:optional"),
    ],
)
def test_field_that_existing_rows_cannot_have_is_refused(
    folder: Owner, arguments: tuple[str, ...], sentence: str
) -> None:
    (folder.folder / ".scaffold.json").write_text(INVOICE % RUN)
    assert sentence in folder.refused("invoice", *arguments)


@pytest.mark.parametrize("text", ["{", "[]", '{"invoice": {}}', INVOICE % "{}"])
def test_damaged_state_is_refused(folder: Owner, text: str) -> None:
    (folder.folder / ".scaffold.json").write_text(text)
    assert "restore it from git" in folder.refused("invoice", "a:int")


SECTION = "# Your own tables go below this line: what updates add comes above it.\n"


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("note", "a:str"), "app/api.py and app/models.py have"),
        (("note", "project:ref"), "app/api.py, app/models.py and app/services.py have"),
        (("invoice", "is_paid:bool"), "app/models.py and tests/test_invoices.py have"),
    ],
)
def test_all_uncommitted_changes_are_named_before_the_service_is_read(
    folder: Owner, arguments: tuple[str, ...], changed: str
) -> None:
    """This service could not be imported."""
    folder.environment = {"UV_PROJECT_ENVIRONMENT": sys.prefix}
    files = {name: ["1", "2"] for name in ("app/api.py", "app/models.py", "tests/test_invoices.py")}
    (folder.folder / ".scaffold.json").write_text(
        INVOICE % json.dumps(json.loads(RUN) | {"files": files})
    )
    names = ("api", "crud", "models", "services", "settings")
    paths = [folder.folder / "app" / f"{name}.py" for name in names]
    paths.append(folder.folder / "tests" / "test_invoices.py")
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(SECTION if path.stem != "test_invoices" else "")
    commit(folder.folder)
    for path in paths:
        if path.stem != "crud":
            path.write_text(f"{path.read_text()}X = 1\n")
    assert folder.refused(*arguments) == (
        f"{changed} uncommitted changes: commit them, and run this again."
    )


@pytest.mark.parametrize(
    ("decorator", "name"),
    [
        ("@pytest.fixture", "own"),
        ("@fixture", "own"),
        ('@pytest_asyncio.fixture(scope="session")', "own"),
        ('@pytest.fixture(\n    name="other",\n)', "other"),
    ],
)
def test_fixture_is_found_in_any_form(folder: Owner, decorator: str, name: str) -> None:
    (folder.folder / "tests").mkdir()
    text = f"{decorator}\nasync def own() -> None: ...\n"
    (folder.folder / "tests" / "conftest.py").write_text(text)
    assert Service(folder.folder).fixtures() == {name}


def test_environment_and_settings_of_a_monorepo_are_found(
    folder: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    root = tmp_path / "répo 1"
    service = shutil.copytree(tmp_path, root / "services" / "shop", ignore=lambda *_: ["répo 1"])
    (service / "app" / "models.py").touch()
    (root / "ruff.toml").touch()
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").touch()
    commit(root)
    found = Service(service)
    assert found.python == root / ".venv" / "bin" / "python"
    copy = found.copy_to(tmp_path / "copy")
    assert copy.folder == tmp_path / "copy" / "services" / "shop"
    assert (tmp_path / "copy" / "ruff.toml").exists()


def test_fields_of_a_resource_that_is_older_than_the_accounts_are_refused(folder: Owner) -> None:
    answers = folder.folder / ".copier-answers.yml"
    targets = [{"class": "Invoice", "owner": []}, {"class": "Other", "owner": ["owner_id"]}]
    check_owner("invoice", {"targets": targets}, Service(folder.folder))
    answers.write_text(f"{ANSWERS}auth: jwt\n")
    check_owner("other", {"targets": targets}, Service(folder.folder))
    with pytest.raises(Refused, match="invoice was added before the service had accounts"):
        check_owner("invoice", {"targets": targets}, Service(folder.folder))


def test_loss_of_the_etag_is_announced_once() -> None:
    before = parse_fields(["number:str"])
    after = parse_fields(["number:str", "tags:refs", "parent:ref:invoice:optional"])
    assert etag_is_lost(before, before) == etag_is_lost(after, after) == ""
    sentence = etag_is_lost(before, after)
    assert sentence.startswith("Responses have no ETag from now on, because they change")
    assert "when a row that tag_ids and parent_id refer to is deleted. If-Match with" in sentence
