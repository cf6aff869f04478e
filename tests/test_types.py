"""Every variant passes mypy with its own strict configuration."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.rendering import ROOT
from harness.variants import Variant


def test_mypy_finds_no_errors(
    rendered: Callable[[Variant], Path],
    checked: Variant,
    worker_id: str,
) -> None:
    # Kept between runs. One for each worker, because mypy does not lock its cache.
    cache = ROOT / ".mypy_cache" / f"services-{worker_id}"
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", cache],
        cwd=rendered(checked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
