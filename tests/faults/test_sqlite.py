"""SQLite allows one writer at a time: concurrent writers wait and do not overwrite each other."""

import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from harness.load import load
from tests.faults.stack import Stack

WRITERS = 64
ROUNDS = 3

pytestmark = pytest.mark.drivers("aiosqlite")


def test_concurrent_writers_lose_no_update(stack: Stack) -> None:
    with stack.serving() as service:
        project = service.call("POST", "/api/v1/projects", {"name": "Counter"}, status=201)
        path = f"/lengthen/{project['id']}"
        with ThreadPoolExecutor(WRITERS) as threads:
            responses = threads.map(lambda _: service.client.post(path), range(ROUNDS * WRITERS))
            assert Counter(response.status_code for response in responses) == {
                200: ROUNDS * WRITERS
            }
        assert service.call("POST", path) == ROUNDS * WRITERS + 1
        assert stack.checked_out(service) == 0


def test_writers_time_out_on_the_lock_of_another_process_and_readers_do_not_wait(
    stack: Stack,
) -> None:
    with (
        stack.serving(database_lock_timeout=0.5, database_pool_timeout=1) as service,
        closing(sqlite3.connect(stack.file, isolation_level=None)) as other,
    ):
        service.call("POST", "/api/v1/projects", {"name": "Before"}, status=201)
        other.execute("BEGIN IMMEDIATE")
        held = time.monotonic()
        with load(service.client.base_url, 4) as sent:
            sent.wait_for(8, 200, after=held)
            sent.wait_for(8, 503, after=held)
            released = time.monotonic()
            other.execute("ROLLBACK")
            sent.wait_for(20, 201, after=released)
        assert {response.status for response in sent.since(released)} == {200, 201}, service.log
        refused = [response for response in sent.responses if response.status == 503]
        assert {(response.method, response.retry_after) for response in refused} == {("POST", "1")}
        assert max(response.seconds for response in sent.responses) < 0.5 + 1 + 5
        assert stack.checked_out(service) == 0


def test_every_connection_sets_the_pragmas(stack: Stack) -> None:
    with stack.serving(database_lock_timeout=4) as service:
        for kind in ("write", "read"):
            assert service.call("GET", f"/pragmas/{kind}") == {
                "foreign_keys": "1",
                "journal_mode": "wal",
                "busy_timeout": "4000",
                "synchronous": "1",
            }
