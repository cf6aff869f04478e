"""Fixtures of the tests on components that only `make test-real` installs.

With `--record`, a run writes what it tested to `docs/tested-on.json` and the table in the README.
`make test-real` does, because it runs all tests of a component, or none.
"""

from collections.abc import Callable, Iterator
from typing import cast

import pytest

from harness.components import COMPONENTS, Tested, record, today
from harness.docker import Engine, running_engine

COMPONENT = "component"
NOTE = "note"


@pytest.fixture
def tested(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Notes a component that this test runs, and its version."""

    def note(component: str, version: str) -> None:
        assert component in COMPONENTS, f"{component} is missing in harness/components.py"
        request.node.user_properties.append((COMPONENT, [component, version]))

    return note


@pytest.fixture
def noted(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a line at the end of the run."""

    def note(line: str) -> None:
        request.node.user_properties.append((NOTE, line))

    return note


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine of the tests' own, without images."""
    with running_engine() as engine:
        yield engine


class TestedOn:
    """Writes down the components of a run: one passed if all tests that note it did."""

    def __init__(self, *, recorded: bool) -> None:
        self.recorded = recorded
        self.runs: dict[str, Tested] = {}
        self.notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == NOTE and report.when == "call":
                self.notes.append(str(value))
            if name == COMPONENT:
                component, version = cast("tuple[str, str]", value)
                run = self.runs.setdefault(component, Tested(component, version, today(), True))
                run.passed &= not report.failed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.recorded:
            record(self.runs.values())
        terminalreporter.section("components")
        for run in self.runs.values():
            result = "passed" if run.passed else "FAILED"
            terminalreporter.line(f"{run.component} {run.version}: {result}")
        for line in self.notes:
            terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(TestedOn(recorded=config.getoption("record")))
