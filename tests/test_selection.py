"""The selections of variants."""

from collections.abc import Mapping
from dataclasses import fields
from itertools import combinations, product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from harness.parts import PARTS
from harness.rendering import ROOT
from harness.variants import (
    ALL,
    AUTHS,
    CHECKED,
    COLUMNS,
    COMBINATIONS,
    DRIVERS,
    EVERY,
    EXAMPLES,
    EXERCISED,
    FAMILIES,
    MEASURED,
    PAIRED,
    QUESTIONS,
    SELECTION,
    STRUCTURES,
    SWITCHES,
    UNMEASURED,
    WHOLE,
    WITHOUT_DATABASE,
    WITHOUT_DRIVER,
    Variant,
    named,
)


def pairs(variants: list[Variant], names: Mapping[Any, str] = MappingProxyType({})) -> set[object]:
    """The pairs of answers, some of which get other names."""
    choices = [
        sorted(((question, names.get(answer, answer)) for question, answer in v.choices), key=str)
        for v in variants
    ]
    return {pair for each in choices for pair in combinations(each, 2)}


def test_selection_covers_every_pair_of_answers() -> None:
    assert pairs(SELECTION) == pairs(EVERY)


def test_default_suites_cover_every_pair_of_answers_on_every_database() -> None:
    assert pairs(EXERCISED, FAMILIES) == pairs(EVERY, FAMILIES)
    assert set(WHOLE) < set(EXERCISED) < set(SELECTION)


def test_default_suites_cover_every_way_to_identify_callers_on_every_driver() -> None:
    ways: set[tuple[str, Any]] = {("auth", auth) for auth in AUTHS if auth != "none"}
    ways |= {("api_keys", True), ("mail", "smtp"), ("rate_limits", True)}
    assert set(product(DRIVERS, ways)) <= {(v.driver, c) for v in EXERCISED for c in v.choices}


def test_default_suites_are_within_the_budget() -> None:
    """Decision 38: what exceeds these numbers belongs in `make test-all`."""
    assert len(SELECTION) <= 21
    assert len(EXERCISED) <= 19
    assert len(WHOLE) <= 5
    assert len(MEASURED) <= 2


def test_selection_combines_each_answer_that_is_not_combined_in_full_with_every_other() -> None:
    selected = [dict(zip(COLUMNS, variant.row, strict=True)) for variant in SELECTION]
    not_asked = {(True, "none"), ("smtp", "none"), ("smtp", "oidc")}
    for paired, other in product(PAIRED, COLUMNS):
        if paired != other:
            found = {(answers[paired], answers[other]) for answers in selected}
            impossible = (
                not_asked if (other == "auth" and paired in ("api_keys", "mail")) else set()
            )
            assert found == set(product(COLUMNS[paired], COLUMNS[other])) - impossible


def test_every_combination_is_rendered_once() -> None:
    assert len(COMBINATIONS) == (1 + 4 * 2) * 3 * 4 * 2**3 * 2
    assert {v.combination for v in EVERY} == {v.combination for v in COMBINATIONS}
    assert len(EVERY) - len(COMBINATIONS) == len(SELECTION) - len(
        {v.combination for v in SELECTION}
    )
    assert set(SELECTION) < set(ALL) < set(EVERY)


def test_machinery_is_tested_on_every_driver() -> None:
    assert {variant.driver for variant in WHOLE} == set(DRIVERS)
    assert not set(WITHOUT_DATABASE) & set(WITHOUT_DRIVER)
    assert set(MEASURED) < set(WHOLE) < set(SELECTION)


def test_default_coverage_runs_cover_every_answer_but_drivers_and_structures() -> None:
    measured = set().union(*(variant.choices for variant in MEASURED))
    every = set().union(*(variant.choices for variant in EVERY))
    assert {name for name, _ in every - measured} == UNMEASURED


def test_types_are_checked_for_every_driver_and_auth() -> None:
    assert {variant.driver for variant in CHECKED} == set(DRIVERS)
    assert {variant.auth for variant in CHECKED} == set(AUTHS)


def test_suites_of_all_variants_cover_every_driver_structure_and_auth() -> None:
    main = {(variant.driver, variant.structure, variant.auth) for variant in ALL}
    assert len(main) == len(DRIVERS) * len(STRUCTURES) * len(AUTHS)


def test_variants_answer_every_question_that_decides_what_is_rendered() -> None:
    decisive = {
        name
        for name, question in QUESTIONS.items()
        if not name.startswith("_")
        and False not in (question.get("when"), question.get("ask"))
        and ("choices" in question or question["type"] == "bool")
    }
    only_on_update = {"existing_rows"}
    assert {field.name for field in fields(Variant)} == decisive - only_on_update
    assert {name for name in decisive if QUESTIONS[name]["type"] == "bool"} == SWITCHES.keys()


def test_every_variant_can_be_named() -> None:
    assert [named(str(variant)) for variant in EVERY] == EVERY


def test_parts_of_a_name_come_in_any_order_and_have_defaults() -> None:
    assert named("asyncpg") == Variant("asyncpg")
    assert named("sync-layered-jwt-psycopg-empty") == Variant(
        "psycopg", "layered", "jwt", (), sync_session=True
    )
    assert named("assistant+projects-asyncmy-dev_sqlite") == Variant(
        "asyncmy", examples=("projects", "assistant"), dev_database="sqlite"
    )
    assert named("aiomysql-all").examples == EXAMPLES


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("asyncpg-hexagonal", r"unknown part 'hexagonal'; accepted: a driver \(aiosqlite, "),
        ("asyncpg-projects+cats", r"unknown part 'projects\+cats'"),
        ("asyncpg-psycopg", "'psycopg' is the second answer to 'driver'"),
        ("jwt-flat", "a driver is required, one of aiosqlite, "),
        ("aiosqlite-dev_sqlite", "dev_sqlite requires a driver other than aiosqlite"),
        ("aiosqlite-keys", "keys requires accounts, such as jwt"),
        ("aiosqlite-oidc-mail", "mail requires passwords, such as jwt"),
    ],
)
def test_invalid_name_is_an_error_with_a_message(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        named(name)


def test_parts_name_folders_and_files_of_the_tests() -> None:
    existing = {path.name for path in Path(__file__).parent.iterdir()}
    in_parts = [name for names in PARTS.values() for name in names]
    assert len(in_parts) == len(set(in_parts))
    assert set(in_parts) <= existing


def test_nightly_workflow_runs_every_part() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text())
    assert workflow["jobs"]["all-variants"]["strategy"]["matrix"]["part"] == list(PARTS)
