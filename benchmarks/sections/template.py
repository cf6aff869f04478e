"""The time to render a service and to run its tests."""

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.markdown import table
from harness.services import Service

LARGEST = {
    "driver": "asyncpg",
    "auth": "jwt",
    "structure": "by_feature",
    "examples": "[projects, measurements, assistant]",
    "dev_database": "sqlite",
    "sync_session": "true",
}
FIRST_TESTS = "tests/core/test_settings.py"


@dataclass(frozen=True)
class Template:
    """Times in seconds, without installing packages."""

    default_copy: float
    largest_copy: float
    first_green: float
    tests: int
    suite: float


def copy(template: Path, folder: Path, answers: dict[str, str]) -> float:
    data = [part for name, value in answers.items() for part in ("--data", f"{name}={value}")]
    began = time.perf_counter()
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet", *data]
    subprocess.run([*command, str(template), str(folder)], check=True)
    return time.perf_counter() - began


def test(folder: Path, *arguments: str) -> tuple[int, float]:
    """How many tests passed, and how long pytest took."""
    began = time.perf_counter()
    output = Service(folder, Path(sys.prefix)).succeed(
        sys.executable, "-m", "pytest", "-q", *arguments
    )
    passed = re.search(r"(\d+) passed", output)
    assert passed is not None, output
    return int(passed[1]), time.perf_counter() - began


def measure(bench: Bench) -> Template:
    folder = bench.folder / "copied"
    default = copy(bench.template, folder, {})
    few, first = test(folder, FIRST_TESTS)
    tests, suite = test(folder) if bench.schedule.whole_suite else (few, first)
    largest = copy(bench.template, bench.folder / "largest", LARGEST)
    return Template(default, largest, default + first, tests, suite)


def page(template: Template) -> str:
    rows = {
        "`copier copy`, default answers": f"{template.default_copy:.1f} s",
        "`copier copy`, all features": f"{template.largest_copy:.1f} s",
        "From copy to the first green tests": f"{template.first_green:.1f} s",
        f"All {template.tests} tests of the default service": f"{template.suite:.1f} s",
        "Time per test": f"{1000 * template.suite / template.tests:.0f} ms",
    }
    return f"""\
Without `uv sync`, which depends on the network and the cache.

{table(["", ""], rows.items())}"""
