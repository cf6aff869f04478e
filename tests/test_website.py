"""The explorer shows what Copier renders: its questions, its tables, its data and its commands.

tests/real/test_site.py uses the whole site in a browser.
"""

import json
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier._cli import CopierApp

from harness.rendering import ROOT, comparable
from harness.variants import MAIN, QUESTIONS, SELECTION, Variant, named
from website.combinations import alternatives, combinations, presets, total
from website.commands import PROGRAM, option
from website.data import Store, index_of, write
from website.highlighting import lines
from website.pages import with_links
from website.questions import Answers, Questionnaire, key
from website.releases import knows
from website.renders import Renders, by_digest, service_files
from website.tables import table, tables
from website.texts import restored

QUESTIONNAIRE = Questionnaire(QUESTIONS)
RENDERED = [
    named("aiosqlite-flat-none-empty"),
    named("asyncpg-by_feature-jwt-projects-keys-mail-jobs"),
    named("asyncmy-layered-oidc-assistant-dev_sqlite-sync-telemetry"),
]
FILES: dict[str, dict[str, str]] = {}


@pytest.fixture(params=RENDERED, ids=str)
def service(request: pytest.FixtureRequest) -> Variant:
    chosen: Variant = request.param
    return chosen


@pytest.fixture
def files(template: Path, service: Variant) -> dict[str, str]:
    return files_of(template, service)


def files_of(template: Path, variant: Variant) -> dict[str, str]:
    """What Copier renders, once for each variant."""
    if str(variant) not in FILES:
        FILES[str(variant)] = service_files(template, variant.answers)
    return FILES[str(variant)]


def answers_of(variant: Variant) -> Answers:
    return QUESTIONNAIRE.resolve(variant.answers)


def test_page_has_every_question_with_a_choice_of_answers() -> None:
    asked = {field.name for field in fields(Variant)}
    assert set(QUESTIONNAIRE.positions) >= asked
    assert "existing_rows" not in QUESTIONNAIRE.positions  # only on updates


def test_page_asks_what_copier_asks(service: Variant, files: dict[str, str]) -> None:
    stored = yaml.safe_load(files[".copier-answers.yml"])
    answers = QUESTIONNAIRE.data(answers_of(service))
    assert answers == {name: stored[name] for name in QUESTIONNAIRE.positions if name in stored}


def test_default_may_depend_on_another_answer() -> None:
    assistant = QUESTIONNAIRE.resolve({"examples": ["assistant"]})
    assert QUESTIONNAIRE.values_of(assistant)["idempotency"] is True


def test_number_of_combinations_is_that_of_the_readme() -> None:
    assert f"There are {total(QUESTIONNAIRE)} combinations" in (ROOT / "README.md").read_text()


def test_every_main_combination_is_rendered_with_any_other_answer() -> None:
    found = set(combinations(QUESTIONNAIRE))
    main = {"driver": "aiomysql", "structure": "layered", "auth": "oidc"}
    assert set(main) == set(MAIN)
    wanted = [*alternatives(QUESTIONNAIRE, main), *presets().values()]
    assert found >= {QUESTIONNAIRE.resolve(answers) for answers in wanted}
    assert found >= {QUESTIONNAIRE.resolve(each.answers) for each in SELECTION}


def test_table_has_only_the_answers_that_matter() -> None:
    rows: dict[Answers, str | None] = {(0, 0): "a", (0, 1): "a", (1, 0): "b", (1, 1): "b"}
    found = table(list(rows), list(rows.values()))
    assert (found.positions, found.cells) == ((0,), {"0": "a", "1": "b"})
    rows = {(0, 0): "a", (0, 1): None, (1, 0): None, (1, 1): None}
    found = table(list(rows), list(rows.values()))
    assert (found.positions, found.cells) == ((0, 1), {"00": "a"})
    assert [found.digest(answers) for answers in rows] == list(rows.values())


def test_page_shows_what_copier_renders(template: Path, tmp_path: Path) -> None:
    renders = Renders()
    for each in RENDERED:
        renders.add(*by_digest(files_of(template, each)))
    chosen = [answers_of(each) for each in RENDERED]
    store = Store()
    write(tmp_path, index_of(QUESTIONNAIRE, chosen, renders, store), {}, store)
    index = received(tmp_path / "index.js")
    contents = {
        path: received(tmp_path / "files" / f"{number}.js")
        for number, path in enumerate(index["files"])
    }
    for each, answers in zip(RENDERED, chosen, strict=True):
        assert key(answers) in index["combinations"]
        shown = {
            path: restored(contents[path], row["cells"][word])
            for path, row in index["paths"].items()
            if (word := key([answers[each] for each in row["positions"]])) in row["cells"]
        }
        assert shown == files_of(template, each)
        sizes = [
            index["sizes"][path][row["cells"][word]]
            for path, row in index["paths"].items()
            if (word := key([answers[each] for each in row["positions"]])) in row["cells"]
        ]
        assert sum(size for _, size in sizes) == sum(len(t.encode()) for t in shown.values())


def received(path: Path) -> Any:
    """The content of a data script."""
    match = re.fullmatch(r'explorer\.receive\("[a-z 0-9]+", (.*)\);\n', path.read_text())
    assert match
    return json.loads(match[1])


def test_every_combination_gets_its_own_files_from_the_tables(template: Path) -> None:
    services = [by_digest(files_of(template, each))[0] for each in RENDERED]
    chosen = [answers_of(each) for each in RENDERED]
    found = tables(chosen, services)
    for answers, service in zip(chosen, services, strict=True):
        shown = {path: row.digest(answers) for path, row in found.items() if row.digest(answers)}
        assert shown == service


def test_command_renders_the_answers_that_it_shows(template: Path, tmp_path: Path) -> None:
    variant = named("asyncmy-layered-oidc-assistant-dev_sqlite-sync-telemetry")
    answers = answers_of(variant)
    options = [
        option(question, answer)
        for question, answer in zip(QUESTIONNAIRE.questions, answers, strict=True)
    ]
    command = shlex.split(" ".join([PROGRAM, *options, str(template), str(tmp_path / "service")]))
    assert command[0] == "uvx"
    CopierApp.run([*command[1:], "--quiet"], exit=False)
    assert comparable(tmp_path / "service", template) == files_of(template, variant)


def test_answer_with_spaces_is_quoted() -> None:
    examples = next(each for each in QUESTIONNAIRE.questions if each.name == "examples")
    every = [option(examples, answer) for answer in range(len(examples.choices))]
    assert every[0] == "-d 'examples=[]'"
    assert every[3] == "-d 'examples=[projects, measurements]'"


def test_tokens_are_those_of_the_line() -> None:
    text = 'def add(a):\n    """Add\n    one."""\n    return a + 1\n'
    assert lines("app/main.py", text) == [
        ("def add(a):", "k3,1,f3"),
        ('    """Add', "4,c6"),
        ('    one."""', "c11"),
        ("    return a + 1", "4,k6,5,n1"),
    ]
    assert lines("LICENSE", "Any text.\n") == [("Any text.", "")]


def test_release_is_shown_only_with_questions_and_choices_that_it_has() -> None:
    release = {"driver": {"choices": {"SQLite": "aiosqlite"}}, "examples": {"multiselect": True}}
    assert knows(release, {"driver": "aiosqlite", "examples": []})
    assert not knows(release, {"driver": "asyncpg"})
    assert not knows(release, {"driver": "aiosqlite", "jobs": "database"})


def test_links_lead_to_pages_of_the_site_or_are_plain_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("website.pages.ROOT", tmp_path)
    page = tmp_path / "docs" / "guides" / "adopting.md"
    page.parent.mkdir(parents=True)
    page.write_text(
        "[1](audit.md#how) [2](../scaling.md) [3](../../CHANGELOG.md) [4](../../tests/test_x.py)\n"
        "[5](https://example.org/a) [2.7.0]\n[2.7.0]: ../../compare/2.6.0...2.7.0\n"
    )
    (page.parent / "audit.md").touch()
    text = with_links(page, Path("site/guides/adopting.md"), Path("site"))
    assert text == (
        "[1](../guides/audit.md#how) [2](../scaling.md) [3](../changelog.md) 4\n"
        "[5](https://example.org/a) 2.7.0\n"
    )
