"""Reads that go straight to the driver return and raise what SQLAlchemy's session would."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.running import settings
from harness.servers import Server
from harness.services import Service
from harness.variants import DRIVERS, FAMILIES, ONE_EACH, Variant

COMPARED = Path(__file__).with_name("compared")
# How many statements, values and keys Hypothesis generates for each test.
EXAMPLES = 5
MANY_EXAMPLES = 100


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("driver", DRIVERS if metafunc.config.getoption("all") else ONE_EACH)


def test_both_ways_of_a_read_are_equal(
    rendered: Callable[[Variant], Path],
    servers: Callable[[str], Server],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    driver: str,
) -> None:
    """They are compared in this environment, which has Hypothesis and the drivers."""
    folder = shutil.copytree(rendered(Variant(driver)), tmp_path / "service")
    shutil.copytree(COMPARED, folder / "compared")
    family = FAMILIES[driver]
    if family == "sqlite":
        url = f"sqlite:///{tmp_path}/compared.db"
    else:
        servers(family).recreate_database("compared")
        url = f"{family}://{servers(family).address}/compared"
    all_tests = request.config.getoption("all")
    # Whether planted faults are found hardly depends on the driver.
    ignored = [] if all_tests or driver == ONE_EACH[0] else ["--ignore=compared/test_faults.py"]
    examples = MANY_EXAMPLES if all_tests else EXAMPLES
    Service(folder, Path(sys.prefix)).succeed(
        *(sys.executable, "-m", "pytest", "compared", "-q", "-p", "no:cacheprovider", *ignored),
        **settings(url, {"examples": str(examples)}),
    )
