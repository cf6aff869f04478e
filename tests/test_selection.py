"""The selections of variants."""

from itertools import combinations

from tests.variants import ALL, AUTHS, DRIVERS, EVERY, MEASURED, SELECTION, STRUCTURES, Variant


def pairs(variants: list[Variant]) -> set[object]:
    return {
        pair for variant in variants for pair in combinations(sorted(variant.choices, key=str), 2)
    }


def test_every_pair_of_answers_is_exercised_by_default() -> None:
    assert pairs(SELECTION) == pairs(EVERY)
    assert len(SELECTION) < 20


def test_every_answer_is_in_a_suite_whose_lines_are_counted_by_default() -> None:
    assert set().union(*(v.choices for v in MEASURED)) == set().union(*(v.choices for v in EVERY))
    assert set(MEASURED) < set(SELECTION)


def test_every_driver_structure_and_auth_is_rendered_by_default() -> None:
    main = {(variant.driver, variant.structure, variant.auth) for variant in ALL}
    assert len(main) == len(DRIVERS) * len(STRUCTURES) * len(AUTHS) == 30
    assert len(EVERY) == 864
