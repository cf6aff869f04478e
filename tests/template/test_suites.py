"""Tests of the check that a suite fails where it is known to fail, and nowhere else."""

import subprocess
from pathlib import Path

import pytest

from harness.services import Service
from harness.suites import check_suite

KNOWN = {"tests/test_a.py::test_b[c - d]": "for this reason", "tests/test_a.py::test_e": "for that"}
SUMMARY = """\
FAILED tests/test_a.py::test_b[c - d] - AssertionError: assert 1 == 2 - 3
ERROR tests/test_a.py::test_e
"""


PASSED = ("3 passed\n", 0)
KNOWN_FAILED = (f"{SUMMARY}2 failed\n", 1)


class Ran(Service):
    """A service with these results: of all other tests, and of those that are known to fail."""

    def __init__(self, *results: tuple[str, int]) -> None:
        super().__init__(Path(), Path())
        self.results = list(results)
        self.commands: list[tuple[str, ...]] = []

    def run(self, *command: str, **_: str) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        output, code = self.results.pop(0)
        return subprocess.CompletedProcess((), code, output)


def test_known_failures_pass() -> None:
    service = Ran(PASSED, KNOWN_FAILED)
    check_suite(service, KNOWN)
    others, known = service.commands
    assert {f"--deselect={test}" for test in KNOWN} <= {*others}
    assert KNOWN.keys() <= {*known}
    check_suite(Ran(PASSED), {})


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([("FAILED tests/test_a.py::test_new - x\n1 failed, 3 passed\n", 1)], "test_new"),
        ([PASSED, PASSED], "Remove these tests"),
        ([PASSED, (f"{SUMMARY.splitlines()[1]}\n1 failed, 1 passed\n", 1)], "Remove these tests"),
        ([("ERROR: 'minversion' requires pytest-9.2\n", 4)], "minversion"),
        ([("3 passed, 1 skipped\n", 0)], "skipped"),
        ([("no tests ran\n", 0)], "no tests ran"),
    ],
)
def test_other_results_fail(results: list[tuple[str, int]], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_suite(Ran(*results), KNOWN)
