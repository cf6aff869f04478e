"""Fixtures: the template of the work tree, its rendered variants, and database servers."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from _pytest.nodeid import coerce_node_id

from harness.copier_speed import speed_up_copier
from harness.mariadb import MariaDB
from harness.mysql import MySQL
from harness.parts import OF_VARIANTS, PARTS, REAL, part_of
from harness.phases import Phases
from harness.postgresql import PostgreSQL
from harness.rendering import export, render
from harness.scratch import Scratch
from harness.servers import Server, running
from harness.services import ENVIRONMENTS, InEnvironment, Service
from harness.variants import (
    ALL,
    CHECKED,
    EVERY,
    EXERCISED,
    SELECTION,
    WHOLE,
    Variant,
    named,
)

TESTS = Path(__file__).parent
# The fixtures of the tests that `--one` runs.
VARIANT_FIXTURES = {"variant", "twice", "checked", "exercised"}
# The variants of a test, by default and with `--all`: `variant` is rendered, `twice` a second time,
# `checked` type-checked, and the suite of `exercised` is run.
VARIANTS = {
    "variant": (SELECTION, EVERY),
    "twice": (WHOLE, SELECTION),
    "checked": (CHECKED, ALL),
    "exercised": (EXERCISED, ALL),
}
Once = Callable[[str, Callable[[Path], object]], Path]
ONE = pytest.StashKey[list[Variant]]()

speed_up_copier()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        help="render all variants and run the suites of many, not of a selection",
    )
    parser.addoption("--part", choices=PARTS, help="run only this part of the tests")
    parser.addoption(
        "--real",
        action="store_true",
        help="run only tests/real, on components that have to be installed first",
    )
    parser.addoption(
        "--mysql",
        action="store_true",
        help="run tests on MySQL in place of MariaDB",
    )
    parser.addoption(
        "--record",
        action="store_true",
        help="write which components this run tested to docs/tested-on.json and the README",
    )
    parser.addoption(
        "--one",
        metavar="NAMES",
        help="render, check and run only these variants, such as asyncpg-jwt-flat",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    try:
        config.stash[ONE] = [named(name) for name in (config.getoption("one") or "").split()]
    except ValueError as error:
        raise pytest.UsageError(f"--one: {error}") from None
    config.addinivalue_line("markers", "nightly: run this only with --all")
    config.pluginmanager.register(Phases())
    if not config.getoption("real"):  # images of Docker are too large
        config.pluginmanager.register(Scratch())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip what this run does not select, because importing it takes seconds."""
    if collection_path.parent != TESTS or collection_path.name == "conftest.py":
        return None
    if (collection_path.name == REAL) is not config.getoption("real"):
        return True
    if (part := config.getoption("part")) and part_of(collection_path) != part:
        return True
    return (config.stash[ONE] != [] and collection_path.name not in OF_VARIANTS) or None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize tests with the variants of `VARIANTS`, or with those of `--one`."""
    for name, (some, more) in VARIANTS.items():
        if name in metafunc.fixturenames:
            selected = more if metafunc.config.getoption("all") else some
            variants: list[Variant] = metafunc.config.stash[ONE] or selected
            metafunc.parametrize(name, variants, ids=str)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests for `--one` and without `--all`, and set the groups of xdist.

    pytest-xdist 3.8 sets the groups of tests in an attribute that pytest 9.2 no longer reads.
    """
    if config.stash[ONE]:
        tests = [item for item in items if isinstance(item, pytest.Function)]
        wanted = [test for test in tests if VARIANT_FIXTURES & set(test.fixturenames)]
        config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
        # The suite comes last, because it takes longest.
        wanted.sort(key=lambda test: "exercised" in test.fixturenames)
        items[:] = wanted
    if not config.getoption("all"):
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
    for item in items:
        if grouped := vars(item).get("_nodeid"):
            item._id = coerce_node_id(grouped)
            assert item.nodeid == grouped


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run, for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def once(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Makes a folder with this name once, for all workers. Tests must not change it."""

    def made(name: str, make: Callable[[Path], object]) -> Path:
        if not (shared / name).exists():
            folder = tmp_path_factory.mktemp("unfinished") / name
            make(folder)
            with suppress(OSError):  # another worker was first
                folder.rename(shared / name)
        return shared / name

    return made


@pytest.fixture(scope="session")
def template(once: Once) -> Path:
    return once("template", export)


@pytest.fixture(scope="session")
def rendered(template: Path, once: Once) -> Callable[[Variant], Path]:
    """Renders each variant once. Tests must not change it."""

    def service(variant: Variant) -> Path:
        return once(str(variant), lambda folder: render(template, folder, **variant.answers))

    return service


@pytest.fixture(scope="session")
def kinds(request: pytest.FixtureRequest) -> Mapping[str, type[Server]]:
    """The server of each family, which `--mysql` changes."""
    return {
        "postgresql": PostgreSQL,
        "mysql": MySQL if request.config.getoption("mysql") else MariaDB,
    }


@pytest.fixture(scope="session")
def servers(kinds: Mapping[str, type[Server]]) -> Iterator[Callable[[str], Server]]:
    """The server of a family, which the tests of a worker share.

    It is started for the first test that asks, and again if a test left it down.
    """
    started: dict[str, Server] = {}
    with ExitStack() as stack:

        def server(family: str) -> Server:
            if family not in started:
                started[family] = stack.enter_context(running(kinds[family]))
            if not started[family].is_running:
                started[family].start()
            return started[family]

        yield server


@pytest.fixture
def in_environment(shared: Path, worker_id: str) -> InEnvironment:
    """Makes a service of a folder, with the environment that its pyproject.toml requires.

    The services of a worker take turns in one environment: to change the packages takes a tenth of
    a second. Environments are kept between runs. They are not in pytest's folder, which is closed
    to the user that PostgreSQL runs as if pytest runs as root.
    """
    locks = shared / "locks"
    locks.mkdir(exist_ok=True)

    def service(folder: Path, environment: str = "") -> Service:
        made = Service(folder, ENVIRONMENTS / f"{worker_id}{environment}")
        made.install(locks)
        return made

    return service


@pytest.fixture
def installed(
    rendered: Callable[[Variant], Path],
    tmp_path: Path,
    in_environment: InEnvironment,
) -> Callable[[Variant], Service]:
    """A copy of a variant for one test, with its environment."""

    def service(variant: Variant) -> Service:
        return in_environment(shutil.copytree(rendered(variant), tmp_path / "service"))

    return service
