"""Fixtures: the template with its releases, made once, and a copy for tests that release more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.projects import Template
from harness.variants import DRIVERS, STRUCTURES, Variant


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`lived_in` is the structure of a service with edits and rows, `joined_by` the service that
    accounts are added to, `switched` its drivers before and after a switch; `suite` is all of its
    tests or, where other tests run these by default, some.
    """
    everything = metafunc.config.getoption("all")
    if "suite" in metafunc.fixturenames:
        some = ["tests/test_migrations.py", "tests/test_tasks.py", "tests/test_labels.py"]
        metafunc.parametrize("suite", [["--cov"] if everything else some], ids=["suite"])
    if "lived_in" in metafunc.fixturenames:
        metafunc.parametrize("lived_in", STRUCTURES if everything else STRUCTURES[:1])
    if "joined_by" in metafunc.fixturenames:
        variants = [Variant(driver, "layered") for driver in DRIVERS]
        variants += [Variant("asyncpg", "layered", dev_database="sqlite")]
        params = [
            pytest.param(variant, marks=pytest.mark.xdist_group(f"{variant.driver}-jwt"))
            for variant in (variants if everything else variants[:1])
        ]
        metafunc.parametrize("joined_by", params, ids=str)
    if "switched" in metafunc.fixturenames:
        # Each ordered pair of databases once, and every driver among them.
        pairs = [
            ("aiosqlite", "asyncpg"),
            ("asyncpg", "aiomysql"),
            ("aiomysql", "aiosqlite"),
            ("aiosqlite", "asyncmy"),
            ("psycopg", "aiosqlite"),
            ("asyncmy", "psycopg"),
        ]
        params = [
            pytest.param(pair, marks=pytest.mark.xdist_group(f"{pair[1]}-none"), id="-".join(pair))
            for pair in (pairs if everything else pairs[:1])
        ]
        metafunc.parametrize("switched", params)


@pytest.fixture(scope="session", autouse=True)
def own_mirrors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Copier mirrors each remote template in the user's cache, where another worker's template of
    the same address would move its tags in the middle of an update.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_CACHE_DIR", str(tmp_path_factory.mktemp("mirrors")))
        yield


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The released versions and the work tree; tests must not change it."""
    return Template.clone(tmp_path_factory.mktemp("upstream") / "template")


@pytest.fixture
def own_upstream(upstream: Template, tmp_path: Path) -> Template:
    """As `upstream`, for a test that makes a release of its own."""
    return upstream.copy(tmp_path / "template")
