"""The selections of variants."""

from itertools import combinations

from tests.variants import ALL, AUTHS, DRIVERS, EVERY, SELECTION, STRUCTURES, Variant


def traits(variant: Variant) -> list[tuple[str, object]]:
    answers = {name: str(value) for name, value in vars(variant).items() if name != "examples"}
    chosen = {
        f"{name}": name in variant.examples for name in ("projects", "measurements", "assistant")
    }
    return sorted((answers | chosen).items())


def pairs(variants: list[Variant]) -> set[object]:
    return {pair for variant in variants for pair in combinations(traits(variant), 2)}


def test_every_pair_of_answers_is_exercised_by_default() -> None:
    assert pairs(SELECTION) == pairs(EVERY)
    assert len(SELECTION) < 20


def test_every_driver_structure_and_auth_is_rendered_by_default() -> None:
    main = {(variant.driver, variant.structure, variant.auth) for variant in ALL}
    assert len(main) == len(DRIVERS) * len(STRUCTURES) * len(AUTHS) == 30
    assert len(EVERY) == 864
