"""Every variant passes mypy with its own strict configuration."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.rendering import ROOT
from harness.variants import Variant


@pytest.mark.xdist_group("types")  # one worker fills one cache
def test_mypy_finds_no_errors(
    rendered: Callable[[Variant], Path],
    checked: Variant,
) -> None:
    cache = ROOT / ".mypy_cache" / "services"  # kept between runs
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", cache],
        cwd=rendered(checked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
