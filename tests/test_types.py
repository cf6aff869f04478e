"""Every variant passes the type checker as strictly as its own configuration asks."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.variants import Variant


def test_types_are_right(
    rendered: Callable[[Variant], Path],
    checked: Variant,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    cache = tmp_path_factory.getbasetemp() / "mypy"  # of this worker, for what all variants import
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", cache],
        cwd=rendered(checked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
