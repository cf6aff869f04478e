"""A pytest plugin that prints where the time of a run went, by the file or folder of the tests.

It also counts the database servers that were created, and fails a run that created too many.
"""

import os
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast

import pytest

from harness.parts import REAL
from harness.servers import Server

COST = "cost"
SERVERS = "servers"
TESTS = PurePath("tests")
# In a run without `--all`: what exceeds this belongs in `make test-all`
# (docs/decisions/0038-budget-of-the-tests.md).
MOST_SERVERS = 34


@dataclass
class Cost:
    tests: int = 0
    seconds: float = 0
    cpu: float = 0


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def phase_of(nodeid: str) -> str:
    """Return the folder in `tests`, or the name of the file: `updates`, or `types`.

    In `tests/real`, it is the name of the file there, which is a part of `make test-real`.
    """
    parts = PurePath(nodeid.partition("::")[0]).relative_to(TESTS).parts
    name = parts[1] if parts[0] == REAL else parts[0]
    return Path(name).stem.removeprefix("test_")


class Phases:
    def __init__(self) -> None:
        self.costs: defaultdict[str, Cost] = defaultdict(Cost)
        self.before = 0.0
        self.servers = 0

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.servers += Server.created
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[SERVERS] = self.servers
        elif self.exceeds_the_budget(session.config):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def exceeds_the_budget(self, config: pytest.Config) -> bool:
        unlimited = config.getoption("all") or config.getoption("real")
        return self.servers > MOST_SERVERS and not unlimited

    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker of xdist counted."""
        self.servers += getattr(node, "workeroutput", {}).get(SERVERS, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        self.before = cpu_seconds()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        # In the process that ran the test: the report carries the cost to the one that prints.
        report = yield
        now = cpu_seconds()
        report.user_properties.append((COST, [call.duration, now - self.before]))
        self.before = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == COST:
                seconds, cpu = cast("tuple[float, float]", value)
                phase = self.costs[phase_of(report.nodeid)]
                phase.tests += report.when == "call"
                phase.seconds += seconds
                phase.cpu += cpu

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        if not self.costs:
            return
        terminalreporter.section("phases")
        line = "{:<14}{:>7}{:>10}{:>10}"
        terminalreporter.line(line.format("", "tests", "seconds", "CPU s"))
        for name, cost in sorted(self.costs.items(), key=lambda each: -each[1].cpu):
            row = line.format(name, cost.tests, f"{cost.seconds:.0f}", f"{cost.cpu:.0f}")
            terminalreporter.line(row)
        terminalreporter.line(f"{self.servers} servers created")
        if self.exceeds_the_budget(config):
            terminalreporter.line(f"FAILED: at most {MOST_SERVERS} without --all", red=True)
