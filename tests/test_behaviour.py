"""The suites of rendered services, each in its own environment on a real database."""

from collections.abc import Callable

from harness.services import Service
from harness.variants import Variant


def test_suite_passes(
    installed: Callable[[Variant], Service],
    exercised: Variant,
    coverage: bool,
    worker_id: str,
) -> None:
    # In two processes, unless xdist runs this test in parallel with others.
    options = ["-n", "2"] * (worker_id == "master") + ["--cov"] * coverage
    output = installed(exercised).uv_run("pytest", "-q", *options)
    assert "passed" in output
    assert ("Total coverage: 100.00%" in output) is coverage
    assert "skipped" not in output.replace("files skipped due to complete coverage", "")
