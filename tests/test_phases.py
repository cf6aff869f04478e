"""The budget of a run, which is counted in servers."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.phases import MOST_SERVERS, Phases
from harness.servers import Server


@pytest.mark.parametrize(
    ("servers", "options", "status"),
    [
        (MOST_SERVERS, set(), pytest.ExitCode.OK),
        (MOST_SERVERS + 1, set(), pytest.ExitCode.TESTS_FAILED),
        (MOST_SERVERS + 1, {"all"}, pytest.ExitCode.OK),
    ],
)
def test_run_that_creates_too_many_servers_fails(
    monkeypatch: pytest.MonkeyPatch, servers: int, options: set[str], status: pytest.ExitCode
) -> None:
    monkeypatch.setattr(Server, "created", 1)
    config = SimpleNamespace(getoption=options.__contains__)
    session: Any = SimpleNamespace(config=config, exitstatus=pytest.ExitCode.OK)
    phases = Phases()
    phases.pytest_testnodedown(SimpleNamespace(workeroutput={"servers": servers - 1}))
    phases.pytest_sessionfinish(session)
    assert session.exitstatus == status
