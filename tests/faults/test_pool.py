"""Every connection of the pool waits for a lock of another client."""

import time
from typing import Any

import pytest

from harness.load import load
from tests.faults.stack import Stack, table_locked

CLIENTS = 200
POOL_TIMEOUT = 1
# For 200 concurrent clients on a busy machine.
MARGIN = 5


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_exhausted_pool_responds_503_in_time_and_recovers_with_the_lock(stack: Stack) -> None:
    limits: dict[str, Any] = {"database_pool_size": 3, "database_pool_timeout": POOL_TIMEOUT}
    with stack.serving(**limits, database_lock_timeout=120, database_statement_timeout=120) as (
        service
    ):
        with load(service.client.base_url, 8) as stuck:
            stuck.wait_for(20, 200, 201)
            with table_locked(stack):
                stuck.wait_for(8, 503, after=time.monotonic())
                with load(service.client.base_url, CLIENTS) as refused:
                    refused.wait_for(2 * CLIENTS, 503)
                    sent = time.monotonic()
                    service.call("GET", "/health/live")
                    assert time.monotonic() - sent < MARGIN
                responses = [response for response in refused.responses if response.status == 503]
                assert {response.retry_after for response in responses} == {"1"}
                assert max(response.seconds for response in responses) < POOL_TIMEOUT + MARGIN
                released = time.monotonic()
            stuck.wait_for(50, 200, 201, after=released)
        assert {response.status for response in stuck.since(released)} == {200, 201}, service.log
        assert stack.checked_out(service) == 0


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_timeouts_are_set_on_the_server(stack: Stack) -> None:
    limits: dict[str, Any] = {"database_statement_timeout": 7, "database_lock_timeout": 4}
    with stack.serving(**limits) as service:
        told = service.call("GET", "/limits")
    if stack.family == "postgresql":
        assert (told["statement_timeout"], told["lock_timeout"]) == ("7000", "4000")
        assert told["idle_in_transaction_session_timeout"] == "60000"
    else:
        # MariaDB, or MySQL in milliseconds.
        seconds, milliseconds = told.get("max_statement_time"), told.get("max_execution_time")
        assert seconds == "7.000000" if seconds else milliseconds == "7000"
        assert (told["innodb_lock_wait_timeout"], told["lock_wait_timeout"]) == ("4", "4")
        assert "STRICT_ALL_TABLES" in told["sql_mode"]
