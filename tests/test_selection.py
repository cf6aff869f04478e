"""The default selection of variants."""

from itertools import combinations

from tests.variants import ALL, AUTHS, DRIVERS, SELECTION, STRUCTURES


def test_there_are_thirty_variants() -> None:
    assert len(ALL) == len(DRIVERS) * len(AUTHS) * len(STRUCTURES) == 30


def test_every_pair_of_answers_is_exercised_by_default() -> None:
    def pairs(variants: list[object]) -> set[object]:
        return {pair for variant in variants for pair in combinations(variant.answers.items(), 2)}

    assert pairs(SELECTION) == pairs(ALL)
    assert len(SELECTION) < len(ALL)
