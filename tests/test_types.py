"""Every variant passes mypy with its own strict configuration."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.services import ENVIRONMENTS, cache_of_mypy
from harness.variants import Variant


@pytest.mark.xdist_group("mypy")  # one worker fills the cache
def test_mypy_finds_no_errors(
    rendered: Callable[[Variant], Path],
    checked: Variant,
    worker_id: str,
) -> None:
    cache = cache_of_mypy(ENVIRONMENTS / worker_id)
    succeed(sys.executable, "-m", "mypy", "--cache-dir", cache, cwd=rendered(checked))
