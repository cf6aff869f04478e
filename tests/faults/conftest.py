"""Servers that are shared by a worker's tests, and the service of each driver on them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.servers import MariaDB, PostgreSQL, Server, running
from tests.faults.stack import Stack
from tests.rendering import render
from tests.variants import FAMILIES


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "drivers(*names, further=()): run on these, with --all on further ones"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if (mark := metafunc.definition.get_closest_marker("drivers")) is None:
        return
    further = mark.kwargs.get("further", ()) if metafunc.config.getoption("all") else ()
    metafunc.parametrize(
        "driver",
        # Tests on the same kind of server share one, so one worker runs them.
        [
            pytest.param(driver, marks=pytest.mark.xdist_group(f"faults-{FAMILIES[driver]}"))
            for driver in (*mark.args, *further)
        ],
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with running(PostgreSQL) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    with running(MariaDB) as server:
        yield server


@pytest.fixture(scope="session")
def stacks(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """The service of a driver, rendered and migrated once."""
    made: dict[str, Stack] = {}

    def stack(driver: str, server: Server | None) -> Stack:
        if driver not in made:
            folder = render(template, tmp_path_factory.mktemp(driver) / "service", driver=driver)
            made[driver] = Stack(driver, folder, server)
            if server is not None:
                server.run(f"CREATE DATABASE {made[driver].database}")
            made[driver].migrate()
        return made[driver]

    return stack


@pytest.fixture
def stack(driver: str, stacks: Callable[..., Stack], request: pytest.FixtureRequest) -> Stack:
    """The service of the test's driver on a database without rows."""
    kind = {"postgresql": "postgresql", "mysql": "mariadb"}.get(FAMILIES[driver])
    server = request.getfixturevalue(kind) if kind else None
    stack = stacks(driver, server)
    if server is None:
        with closing(sqlite3.connect(stack.file)) as connection:
            connection.execute("DELETE FROM projects")
            connection.commit()
        return stack
    if server.process.poll() is not None:  # a test failed while it was away
        server.start()
    stack.run("DELETE FROM projects")
    return stack
