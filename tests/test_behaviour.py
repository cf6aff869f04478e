"""The rendered services' own tests, each in its own environment, on its driver's real server."""

from collections.abc import Callable

from tests.services import Service
from tests.variants import Variant


def test_own_suite_passes(
    installed: Callable[[Variant], Service],
    exercised: Variant,
    coverage: bool,
) -> None:
    output = installed(exercised).uv_run("pytest", "-q", *["--cov"] * coverage)
    assert "passed" in output
    assert ("Total coverage: 100.00%" in output) is coverage
    assert "skipped" not in output.replace("files skipped due to complete coverage", "")
