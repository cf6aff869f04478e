"""The suite of a service on every version of Python that services support, but for the oldest.

All other tests run on the Python of `.venv`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.interpreters import interpreter
from harness.rendering import render
from harness.services import ENVIRONMENTS, Service
from harness.suites import check_suite, noting
from harness.variants import named

VARIANT = named("asyncpg-layered-jwt-all-sync")
# The tests of each version that are known to fail, with the reasons.
KNOWN: dict[str, dict[str, str]] = {"3.12": {}, "3.13": {}, "3.14": {}}


@pytest.mark.parametrize("version", KNOWN, ids="python{}".format)
def test_suite_passes_on(
    version: str, template: Path, tmp_path: Path, tested: Callable[[str, str], None]
) -> None:
    service = Service(
        render(template, tmp_path / "service", **VARIANT.answers),
        ENVIRONMENTS / f"python{version}",
    )
    service.variables["UV_PYTHON"] = interpreter(version)
    service.install()
    program = "import platform; print(platform.python_version())"
    found = service.uv_run("python", "-c", program).strip()
    assert found.startswith(f"{version}.")
    tested(f"Python {version}", noting(found, KNOWN[version]))
    check_suite(service, KNOWN[version])
