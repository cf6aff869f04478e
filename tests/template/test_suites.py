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


class Ran(Service):
    """A service whose suite has this output and exit code."""

    def __init__(self, output: str, code: int) -> None:
        super().__init__(Path(), Path())
        self.result = subprocess.CompletedProcess((), code, output)

    def run(self, *_: str, **__: str) -> subprocess.CompletedProcess[str]:
        return self.result


def test_known_failures_pass() -> None:
    check_suite(Ran(f"{SUMMARY}2 failed, 3 passed\n", 1), KNOWN)
    check_suite(Ran("3 passed\n", 0), {})


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (f"{SUMMARY}FAILED tests/test_a.py::test_new - x\n3 failed, 3 passed\n", 1, "test_new"),
        ("3 passed\n", 0, "Remove these tests"),
        ("ERROR: 'minversion' requires pytest-9.2\n", 4, "minversion"),
        (f"{SUMMARY}2 failed, 3 passed, 1 skipped\n", 1, "skipped"),
        (f"{SUMMARY}2 failed\n", 1, "2 failed"),
    ],
)
def test_other_results_fail(output: str, code: int, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_suite(Ran(output, code), KNOWN)
