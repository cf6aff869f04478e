"""Sentences that end the tool in a service, before anything is written."""

from pathlib import Path

import pytest

from tests.scaffold.conftest import Owner

ANSWERS = "_src_path: nowhere\nstructure: flat\ndriver: aiosqlite\n"
INVOICE = '{"invoice": {"plural": "invoices", "runs": [%s]}}'
RUN = '{"fields": ["number:str"], "commit": "", "revisions": ["1"], "files": {}}'


@pytest.fixture
def folder(tmp_path: Path) -> Owner:
    """A folder with the answers of a service, and nothing else."""
    (tmp_path / ".copier-answers.yml").write_text(ANSWERS)
    return Owner(tmp_path, {})


def test_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    sentence = Owner(tmp_path, {}).refused("invoice", "number:str")
    assert sentence.endswith("run this in the folder of a service.")


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
        (("project:ref",), "Existing rows have no project: add it as project:ref:optional"),
        (("code:str:unique",), "would all have the same code: add it as code:str:unique:optional"),
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
