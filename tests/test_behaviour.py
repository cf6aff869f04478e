"""The suites of rendered services on real databases.

Variants of one driver have the same machinery, and most tests are those of it, in `tests/core`. By
default, only those in `WHOLE` run these, on a server that they start themselves, and of these only
those in `MEASURED` run the whole suite, with coverage; with `--all`, those in `SELECTION` do. Of a
database, the suite of one driver tests all machinery that uses it, that of another driver what can
differ between drivers. The others run the tests of their own code, on a server that is shared,
without those of authorization, because their endpoints are the same.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.servers import Server
from harness.services import Service
from harness.variants import (
    FAMILIES,
    MEASURED,
    ONE_EACH,
    SELECTION,
    WHOLE,
    WITHOUT_DATABASE,
    WITHOUT_DRIVER,
    Variant,
)


def test_suite_passes(
    installed: Callable[[Variant], Service],
    servers: Callable[[str], Server],
    exercised: Variant,
    request: pytest.FixtureRequest,
    worker_id: str,
) -> None:
    service = installed(exercised)
    family = FAMILIES[exercised.driver]
    # In two processes, unless xdist runs this test in parallel with others.
    options = ["-n", "2"] * (worker_id == "master")
    everything = request.config.getoption("all")
    one = bool(request.config.getoption("one"))
    measured = exercised in (SELECTION if everything else MEASURED) and not one
    if measured:
        options += ["--cov", "--cov-branch"]
        (service.folder / ".env").unlink()  # as in a clone, where the pipelines run the suite
    if one or exercised in (SELECTION if everything else WHOLE):
        Server.created += family != "sqlite"
        if not (one or measured):
            ignored = [*WITHOUT_DATABASE]
            ignored += WITHOUT_DRIVER if exercised.driver not in ONE_EACH else []
            options += [f"--ignore={file}" for file in ignored]
    else:
        # A service without examples and accounts has no other tests.
        if any(service.folder.glob("tests/test_*.py")):
            options += ["--ignore=tests/core", "--ignore=tests/test_authorization.py"]
        if family != "sqlite":
            url = f"{family}://{servers(family).address}/service_test"
            service.variables["TEST_DATABASE_URL"] = url
    output = service.uv_run("pytest", "-q", *options)
    assert "passed" in output
    assert ("Total coverage: 100.00%" in output) is measured
    assert "skipped" not in output.replace("files skipped due to complete coverage", "")


@pytest.mark.nightly
@pytest.mark.parametrize("collected", MEASURED, ids=str)
def test_each_process_of_a_suite_collects_the_same_tests(
    rendered: Callable[[Variant], Path], tmp_path: Path, collected: Variant
) -> None:
    """Otherwise, pytest-xdist runs none: names with random values, times or the order of a set."""
    service = Service(shutil.copytree(rendered(collected), tmp_path / "service"), Path(sys.prefix))
    command = (sys.executable, "-m", "pytest", "--collect-only", "-q")
    first, second = (
        # The local dates in these zones are never the same.
        [line for line in service.succeed(*command, **variables).splitlines() if "::" in line]
        for variables in (
            {"PYTHONHASHSEED": "1", "TZ": "Etc/GMT+12"},
            {"PYTHONHASHSEED": "2", "TZ": "Etc/GMT-14"},
        )
    )
    assert len(first) > 100
    assert first == second
