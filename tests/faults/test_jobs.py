"""Workers, the database and the service die while they run jobs."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.load import load
from harness.waiting import eventually
from tests.faults.stack import Stack
from tests.faults.workers import (
    Workers,
    enqueue,
    report,
    runs,
    states,
    until_some_succeeded,
    until_succeeded,
)

ALL = pytest.mark.drivers("asyncpg", "psycopg", "aiomysql", "asyncmy", "aiosqlite")


@pytest.fixture
def workers(stack: Stack, tmp_path: Path) -> Iterator[Workers]:
    for table in ("outbox", "jobs"):
        stack.write(f"DELETE FROM {table}")
    started = Workers(stack, tmp_path)
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.nightly
@ALL
def test_four_workers_run_each_of_many_jobs_once(
    stack: Stack, workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 200 if stack.family == "sqlite" else 1000
    enqueue(stack, count)
    began = time.monotonic()
    workers.start(4)
    until_succeeded(stack, workers, count)
    with capsys.disabled():
        print(report(stack, count, time.monotonic() - began))
    assert runs(stack) == Counter(range(count)), workers.log
    assert "Traceback" not in workers.log
    assert "lost its lease" not in workers.log


@pytest.mark.drivers("asyncpg", "aiomysql", "aiosqlite", further=("psycopg", "asyncmy"))
def test_no_job_is_lost_when_a_worker_is_killed(stack: Stack, workers: Workers) -> None:
    count = 40
    enqueue(stack, count, seconds=0.2)
    workers.start(2)
    until_some_succeeded(stack, workers, 8)
    workers.processes[0].kill()
    until_succeeded(stack, workers, count)
    found = runs(stack)
    assert found.keys() == {*range(count)}
    # At most the jobs that the killed worker ran: they may have committed their work.
    assert sum(found.values()) - count <= 4
    assert workers.processes[1].poll() is None


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", "psycopg", "aiomysql", "asyncmy")
def test_no_job_is_lost_when_the_database_is_killed(
    stack: Stack, workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 200
    enqueue(stack, count, seconds=0.05)
    began = time.monotonic()
    workers.start(2)
    for target in (40, 100):
        until_some_succeeded(stack, workers, target)
        stack.server.kill()
        stack.server.start()
    until_succeeded(stack, workers, count)
    with capsys.disabled():
        print(f"database killed twice; {report(stack, count, time.monotonic() - began)}")
    assert runs(stack).keys() == {*range(count)}
    assert [process.poll() for process in workers.processes] == [None, None]
    assert "Traceback" not in workers.log


@pytest.mark.nightly
@ALL
def test_jobs_that_callers_enqueue_while_their_process_is_killed_are_those_of_their_rows(
    stack: Stack, workers: Workers
) -> None:
    with stack.serving(note_projects=20) as service:
        with load(service.client.base_url, 4) as sent:
            service.process.wait(30)
        acknowledged = {response.name for response in sent.responses if response.status == 201}
    assert acknowledged
    assert acknowledged <= stack.names()
    enqueued = stack.rows("SELECT count(*) FROM outbox WHERE kind = 'Noted'")
    assert int(enqueued[0][0]) == len(stack.names())


@pytest.mark.nightly
@ALL
def test_sigterm_hands_jobs_back_and_another_worker_runs_them_at_once(
    stack: Stack, workers: Workers
) -> None:
    enqueue(stack, 3, seconds=2)
    workers.start(jobs_lease_seconds=600, shutdown_timeout=0)
    eventually(lambda: states(stack) == {"running": 3}, lambda: workers.log)
    workers.processes[0].send_signal(signal.SIGTERM)
    assert workers.processes[0].wait(30) == 0, workers.log
    assert states(stack) == {"queued": 3}
    assert stack.rows("SELECT DISTINCT attempts FROM outbox") == [(0,)]
    workers.start(jobs_lease_seconds=600)
    until_succeeded(stack, workers, 3)
    assert runs(stack) == Counter(range(3))


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", "aiomysql", "aiosqlite")
def test_job_that_kills_its_worker_fails_after_its_attempts_and_others_are_run(
    stack: Stack, workers: Workers
) -> None:
    enqueue(stack, 1, seconds=-1)
    for _ in range(2):
        workers.start(jobs_lease_seconds=1, jobs_attempts=2)
        assert workers.processes[-1].wait(60) == 9
    workers.start(jobs_lease_seconds=1, jobs_attempts=2)
    eventually(lambda: states(stack) == {"failed": 1}, lambda: workers.log)
    enqueue(stack, 2)
    eventually(lambda: states(stack) == {"failed": 1, "succeeded": 2}, lambda: workers.log)


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", "psycopg", "aiomysql", "asyncmy")
@pytest.mark.parametrize("hours", [1, -1])
def test_worker_whose_clock_is_wrong_takes_no_jobs_of_others_and_keeps_its_own(
    stack: Stack, workers: Workers, hours: int
) -> None:
    count = 8
    enqueue(stack, count, seconds=3)
    workers.start(clock=hours)
    eventually(lambda: states(stack).get("running") == 4, lambda: workers.log)
    workers.start()
    until_succeeded(stack, workers, count)
    assert runs(stack) == Counter(range(count))
    assert "lost its lease" not in workers.log


@pytest.mark.nightly
@ALL
def test_periodic_job_is_run_by_one_of_four_workers(stack: Stack, workers: Workers) -> None:
    began = time.monotonic()
    workers.start(4, tick_seconds=2)

    def ticks() -> list[tuple[object, ...]]:
        return stack.rows("SELECT created_at, attempts, state FROM outbox WHERE kind = 'Tick'")

    eventually(lambda: len(ticks()) >= 4, lambda: workers.log, seconds=60)
    # Not more than one in each interval, which begins at the start of the first worker.
    assert len(ticks()) <= (time.monotonic() - began) / 2 + 1
    eventually(lambda: {row[1:] for row in ticks()} <= {(1, "succeeded")}, lambda: workers.log)
