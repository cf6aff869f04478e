"""The service of each driver, on a server that the tests of a worker share."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from harness.rendering import render
from harness.servers import Server
from harness.variants import FAMILIES
from tests.faults.stack import Stack


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "drivers(*names, further=()): run on these drivers, and with --all on the further ones",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if (mark := metafunc.definition.get_closest_marker("drivers")) is None:
        return
    further = mark.kwargs.get("further", ()) if metafunc.config.getoption("all") else ()
    metafunc.parametrize(
        "driver",
        # One worker runs all tests of a database, because they share its server.
        [
            pytest.param(driver, marks=pytest.mark.xdist_group(f"faults-{FAMILIES[driver]}"))
            for driver in (*mark.args, *further)
        ],
    )


@pytest.fixture(scope="session")
def stacks(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stack]:
    """The service for a driver, rendered and migrated once."""
    made: dict[str, Stack] = {}

    def stack(driver: str, server: Server | None) -> Stack:
        if driver not in made:
            folder = tmp_path_factory.mktemp(driver) / "service"
            render(template, folder, driver=driver, sync_session=True, jobs="database")
            made[driver] = Stack(driver, folder, server)
            if server is not None:
                server.create_database(made[driver].database)
            made[driver].migrate()
        return made[driver]

    return stack


@pytest.fixture
def stack(driver: str, stacks: Callable[..., Stack], servers: Callable[[str], Server]) -> Stack:
    """The service for the test's driver on an empty, migrated database."""
    family = FAMILIES[driver]
    server = servers(family) if family != "sqlite" else None
    stack = stacks(driver, server)
    if server is None:
        with closing(sqlite3.connect(stack.file)) as connection:
            connection.execute("DELETE FROM projects")
            connection.commit()
        return stack
    stack.execute("DELETE FROM projects")
    return stack
