"""The database, or the service, goes down and comes back."""

import time
from contextlib import suppress

import pymysql
import pytest

from harness.load import load
from harness.network import network
from harness.waiting import eventually
from tests.faults.stack import Stack

POOL_TIMEOUT = 3
# For a busy machine.
MARGIN = 5


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_outage_causes_only_503s_and_only_while_it_lasts(stack: Stack) -> None:
    with stack.serving(database_pool_timeout=POOL_TIMEOUT, delay_commits=True) as service:
        for fault in (stack.server.stop, stack.server.kill):
            with load(service.client.base_url) as sent:
                sent.wait_for(50, 200, 201)
                fault()
                down = time.monotonic()
                sent.wait_for(50, 503, after=down)
                service.call("GET", "/health/live")
                service.call("GET", "/health/ready", status=503)
                starting = time.monotonic()
                stack.server.start()
                back = time.monotonic()
                sent.wait_for(100, 200, 201, after=back)
            service.call("GET", "/health/ready")
            assert stack.checked_out(service) == 0
            during = [response for response in sent.since(down) if response.received < starting]
            assert {(response.status, response.retry_after) for response in during} == {(503, "1")}
            assert {response.status for response in sent.since(back)} == {200, 201}, service.log
            assert {response.status for response in sent.responses} == {200, 201, 503}, service.log
            assert max(response.seconds for response in sent.responses) < POOL_TIMEOUT + MARGIN
            acknowledged = {response.name for response in sent.responses if response.status == 201}
            assert acknowledged <= stack.names()


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_outage_of_an_idle_service_fails_no_request(stack: Stack) -> None:
    with stack.serving() as service:
        for fault in (stack.server.stop, stack.server.kill):
            with load(service.client.base_url) as before:
                before.wait_for(50, 200, 201)
            fault()
            stack.server.start()
            with load(service.client.base_url) as after:
                after.wait_for(50, 200, 201)
            assert {response.status for response in after.responses} == {200, 201}, service.log
            assert stack.checked_out(service) == 0


@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_closed_connections_are_found_without_a_round_trip(stack: Stack) -> None:
    with (
        network(stack.server.port) as proxy,
        stack.serving(stack.url(proxy.port)) as service,
    ):
        for _ in range(10):  # after five, psycopg prepares the statement
            service.call("GET", "/api/v1/projects")
        before = proxy.sent
        for _ in range(20):
            service.call("GET", "/api/v1/projects")
        assert proxy.sent - before == 20


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_connection_that_is_killed_repeatedly_is_replaced(stack: Stack) -> None:
    """Only statements that were executing may fail."""
    with stack.serving(database_pool_size=5) as service:
        with load(service.client.base_url) as sent:
            for _ in range(10):
                sent.wait_for(30, 200, 201)
                kill_all_connections(stack)
        failed = [response for response in sent.responses if response.status not in (200, 201)]
        assert {response.status for response in failed} <= {503}, service.log
        assert len(failed) <= 10 * 8
        assert stack.checked_out(service) == 0
        with load(service.client.base_url) as after:
            after.wait_for(50, 200, 201)
        assert {response.status for response in after.responses} == {200, 201}, service.log


def kill_all_connections(stack: Stack) -> None:
    if stack.family == "postgresql":
        stack.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return
    for (connection,) in stack.execute(
        "SELECT id FROM information_schema.processlist"
        " WHERE db = database() AND id <> connection_id()"
    ):
        with suppress(pymysql.OperationalError):  # closed in the meantime
            stack.execute(f"KILL {connection}")


@pytest.mark.drivers("asyncpg", "aiosqlite", further=("psycopg", "aiomysql", "asyncmy"))
def test_acknowledged_write_survives_a_crash_of_the_service(stack: Stack) -> None:
    with stack.serving(delay_commits=True) as service, load(service.client.base_url) as sent:
        sent.wait_for(50, 201)
        service.process.kill()
        sent.wait_for(8, 0)
    assert {response.status for response in sent.responses} == {200, 201, 0}, service.log
    assert {response.name for response in sent.responses if response.status == 201} <= stack.names()
    with stack.serving() as service:
        eventually(lambda: service.client.get("/health/ready").status_code == 200)
