"""The README shows what is rendered."""

import re
from collections.abc import Callable
from math import prod
from pathlib import Path

import yaml

from harness.components import with_table
from harness.variants import COMBINATIONS, PAIRED, QUESTIONS, Variant, is_asked

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DEFAULT = Variant("aiosqlite", "flat", "none")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_excerpts_are_code_of_the_rendered_service(rendered: Callable[[Variant], Path]) -> None:
    code = (rendered(DEFAULT) / "app" / "database.py").read_text()
    excerpts = blocks("python")
    assert len(excerpts) == 2
    for excerpt in excerpts:
        assert excerpt in code


def test_tree_shows_the_rendered_service(rendered: Callable[[Variant], Path]) -> None:
    service = rendered(DEFAULT)
    [tree] = blocks("text")
    shown = re.findall(r"── (\S+)", tree)
    modules = {path.name for path in (service / "app").glob("*.py")} - {"__init__.py"}
    assert {name for name in shown if name.endswith(".py")} == modules
    for name in shown:
        assert (service / name).exists() or (service / "app" / name).exists(), name


def test_first_commands_exist() -> None:
    commands = [line.split("  ")[0] for line in blocks("shell")[0].splitlines()]
    assert commands[1:] == ["make site", "make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    for command in commands[1:]:
        assert f"\n{command.removeprefix('make ')}:" in makefile


def test_table_has_every_question_and_choice() -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text())
    table = README[README.index("## The questions") : README.index("An update may change")]
    for name, question in questions.items():
        if name.startswith("_") or False in (question.get("when"), question.get("ask")):
            continue
        assert f"`{name}`" in table
        for choice in question.get("choices", {}).values():
            assert f"`{choice}`" in table


def test_number_of_questions_is_right() -> None:
    only_on_updates = {"newest_migration", "existing_rows"}
    asked = {name for name, question in QUESTIONS.items() if "help" in question} - only_on_updates
    assert f"up to {len(asked)} questions\n" in README


def test_numbers_of_combinations_are_right() -> None:
    asked = (
        [len(answers) for question, answers in PAIRED.items() if is_asked(question, variant.auth)]
        for variant in COMBINATIONS
    )
    every = sum(map(prod, asked))
    assert f"There are {every} combinations" in README
    assert f"`make test-all` renders {len(COMBINATIONS)}, which are all combinations" in README


def test_table_of_components_is_that_of_the_last_run() -> None:
    assert with_table(README) == README
