"""Fixtures: the template with its releases, and a copy for tests that make another release."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest

from harness.projects import Project, Template, releases
from harness.variants import ALL, DRIVERS, EXAMPLES, STRUCTURES, Variant
from tests.updates.to_release_2 import Versions

# Together these have every file of the template.
COMPLETE = [
    Variant(driver, structure, "jwt", EXAMPLES, dev, True, idempotency=True)
    for driver, structure, dev in [
        ("asyncpg", "flat", "sqlite"),
        ("aiosqlite", "layered", "same"),
        ("aiomysql", "by_feature", "same"),
        ("psycopg", "flat", "same"),
    ]
]
MIGRATED = [
    Variant("asyncpg", "flat", auth, examples, idempotency="assistant" in examples)
    for auth, examples in (("none", ()), ("jwt", EXAMPLES), ("jwt", ()), ("none", EXAMPLES))
]
# With the default answers to questions whose other answers an update adds by migrations.
UPDATED = [
    replace(
        variant,
        api_keys=False,
        mail="none",
        rate_limits=False,
        idempotency="assistant" in variant.examples,
        jobs="none",
    )
    for variant in ALL
    if variant.auth in ("none", "jwt")
]
# What tests update from a release, by default and with `--all`.
RELEASED: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
    "lived_in": (STRUCTURES[:1], STRUCTURES),
    "updated": (UPDATED[:2], UPDATED),
    "complete": (COMPLETE[:2], COMPLETE),
    "migrated": (MIGRATED, MIGRATED),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the tests of updates; `--all` has more of each.

    `version` is a release to update from: by default the first and the last take turns. With
    `--all`, releases between them have the default cases.
    `edited` is the structure of a service with edits and rows, `without_accounts` the service that
    accounts are added to, and `switched` the drivers before and after a switch.
    """
    everything = metafunc.config.getoption("all")
    for name, (some, more) in RELEASED.items():
        if {"version", name} <= set(metafunc.fixturenames):
            first, *between, last = releases()
            in_turn = zip(cycle([first, last]), some)
            in_full = [*product([first, last], more), *product(between, some)]
            pairs = in_full if everything else list(in_turn)
            metafunc.parametrize(
                ("version", name), pairs, ids=["-".join(map(str, p)) for p in pairs]
            )
    if "edited" in metafunc.fixturenames:
        metafunc.parametrize("edited", STRUCTURES if everything else STRUCTURES[:1])
    if "without_accounts" in metafunc.fixturenames:
        variants = [Variant(driver, "layered") for driver in DRIVERS]
        variants += [Variant("asyncpg", "layered", dev_database="sqlite")]
        selected = variants if everything else variants[:1]
        metafunc.parametrize("without_accounts", selected, ids=str)
    if "switched" in metafunc.fixturenames:
        # Every ordered pair of databases, and every driver.
        pairs = [
            ("aiosqlite", "asyncpg"),
            ("asyncpg", "aiomysql"),
            ("aiomysql", "aiosqlite"),
            ("aiosqlite", "asyncmy"),
            ("psycopg", "aiosqlite"),
            ("asyncmy", "psycopg"),
        ]
        metafunc.parametrize("switched", pairs if everything else pairs[:1], ids="-".join)


@pytest.fixture(scope="session", autouse=True)
def own_mirrors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of Copier for each worker.

    Otherwise workers whose templates have the same URL would move each other's tags during updates.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_CACHE_DIR", str(tmp_path_factory.mktemp("mirrors")))
        yield


@pytest.fixture
def suite(pytestconfig: pytest.Config) -> list[str]:
    """Arguments of pytest: the whole suite with `--all`, otherwise the owner's tests."""
    return ["--cov", "--cov-branch"] if pytestconfig.getoption("all") else ["--ignore=tests/core"]


@pytest.fixture
def sample(suite: list[str], pytestconfig: pytest.Config) -> list[str]:
    """Arguments of pytest: the whole suite with `--all`, otherwise the tests of two entities."""
    some = ["tests/test_projects.py", "tests/test_tasks.py"]
    return suite if pytestconfig.getoption("all") else some


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The released versions and the work tree. Tests must not change it."""
    return Template.clone(tmp_path_factory.mktemp("upstream") / "template")


@pytest.fixture
def own_upstream(upstream: Template, tmp_path: Path) -> Template:
    """A copy of `upstream` for a test that makes another release."""
    return upstream.copy(tmp_path / "template")


@pytest.fixture(scope="module")
def versions(upstream: Template, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """A service as 1.0.0 and as 2.0.0 render it; tests must not change them."""
    made: dict[Variant, tuple[Project, Project]] = {}

    def service(variant: Variant) -> tuple[Project, Project]:
        if variant not in made:
            folder = tmp_path_factory.mktemp("versions")
            old = Project.copy(upstream, folder / "old", "1.0.0", **variant.answers)
            made[variant] = old, Project.copy(upstream, folder / "new", **variant.answers)
        return made[variant]

    return service
