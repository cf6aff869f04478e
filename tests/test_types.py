"""Every variant passes the type checker as strictly as its own configuration asks."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.rendering import ROOT
from harness.variants import Variant


def test_types_are_right(
    rendered: Callable[[Variant], Path],
    checked: Variant,
    worker_id: str,
) -> None:
    # Kept for the next run; one per worker, since mypy does not lock it.
    cache = ROOT / ".mypy_cache" / f"services-{worker_id}"
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", cache],
        cwd=rendered(checked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
