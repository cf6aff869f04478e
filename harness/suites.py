"""Running the suite of a service, of which some tests are known to fail."""

from collections.abc import Collection, Mapping

from harness.services import UV, Service

FAILED = ("FAILED ", "ERROR ")
# The exit codes of pytest if it ran all tests: they passed, or some failed.
ALL_RAN = {0, 1}


def check_suite(service: Service, known: Mapping[str, str], **variables: str) -> None:
    """Run the suite. Exactly the tests of `known` must fail, which has a reason for each ID.

    They run by themselves, because connections that they leave open fail other tests. A listed test
    that passes fails the run, so that it is removed from the list.
    """
    others = _run(service, *(f"--deselect={test}" for test in known), **variables)
    new = sorted(failed_tests(others, ()))
    assert not new, f"These tests failed: {new}\n{others}"
    assert " passed" in others, others
    if known:
        output = _run(service, *known, **variables)
        fixed = sorted(known.keys() - failed_tests(output, known))
        assert not fixed, f"Remove these tests from the list of failures: {fixed}\n{output}"


def _run(service: Service, *tests: str, **variables: str) -> str:
    command = (UV, "run", "--no-sync", "pytest", "-q", "-n", "2", "-rfE", "--tb=short", *tests)
    result = service.run(*command, **variables)
    assert result.returncode in ALL_RAN, result.stdout
    assert "skipped" not in result.stdout, result.stdout
    return result.stdout


def failed_tests(output: str, known: Collection[str]) -> set[str]:
    """Return the IDs in pytest's summary."""
    lines = [line for line in output.splitlines() if line.startswith(FAILED)]
    return {test_of(line.partition(" ")[2], known) for line in lines}


def test_of(line: str, known: Collection[str]) -> str:
    """Return the ID that a line starts with. Some messages follow; an ID may look like one."""
    for test in known:
        if f"{line} - ".startswith(f"{test} - "):
            return test
    return line.partition(" - ")[0]


def noting(version: str, known: Collection[str]) -> str:
    """Return a component's version with the number of tests that are known to fail."""
    return f"{version} ({len(known)} known failure{'s' * (len(known) > 1)})" if known else version
