"""The parts of the tests of this repository, each of which can run alone, and nightly tests."""

from pathlib import Path
from typing import Any

import pytest

# Folders and files in tests/; what is in none of these is in `rest`.
PARTS = {
    "suites": {"test_behaviour.py"},
    "renders": {"template", "test_contract.py", "test_render.py", "test_types.py"},
    "updates": {"adopting", "updates"},
    "servers": {
        "conflicts",
        "faults",
        "hostile",
        "systems",
        "telemetry",
        "test_servers.py",
        "test_tls.py",
        "transfer",
    },
    "rest": set[str](),
}
# What `make test-real` runs, and nothing else does.
REAL = "real"
# The files whose tests have variants as parameters.
OF_VARIANTS = {"test_behaviour.py", "test_render.py", "test_types.py"}


def part_of(path: Path) -> str:
    """Return the part of a folder or file in tests/."""
    return next((part for part, names in PARTS.items() if path.name in names), "rest")


def nightly(*values: Any) -> Any:
    """Return a set of parameters that are tried only with `--all`."""
    return pytest.param(*values, marks=pytest.mark.nightly)
