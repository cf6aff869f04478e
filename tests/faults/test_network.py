"""The network between the service and its database drops all packets silently."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from harness.load import load
from harness.network import Network, network
from harness.running import Running
from harness.waiting import eventually
from tests.faults.stack import Stack

STATEMENT_TIMEOUT = 2
CONNECT_TIMEOUT = 5
# The statement timeout and half of it, rounded up to the next TCP keepalive probe; two seconds to
# close the connection; for some drivers the time to open a new one.
BOUND = 1.5 * STATEMENT_TIMEOUT + 1 + 2 + CONNECT_TIMEOUT


@contextmanager
def serving_over_network(stack: Stack) -> Iterator[tuple[Running, Network]]:
    with network(stack.server.port) as proxy:
        limits = {
            "database_pool_size": 4,
            "database_pool_timeout": 1,
            "database_statement_timeout": STATEMENT_TIMEOUT,
        }
        with stack.serving(stack.url(proxy.port), **limits) as service:
            yield service, proxy


def test_proxy_ends_a_connection_that_the_server_resets() -> None:
    """As a server does on shutdown that has not accepted the connection yet."""
    server = socket.create_server(("127.0.0.1", 0))
    with (
        network(server.getsockname()[1]) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client,
    ):
        eventually(lambda: proxy.servers)
        server.close()
        assert client.recv(1) == b""


@pytest.mark.drivers("aiomysql", further=("asyncpg", "psycopg", "asyncmy"))
def test_reset_connections_are_replaced(stack: Stack) -> None:
    """A request may get a 503 if its connection was reset just before, but never a 500."""
    with serving_over_network(stack) as (service, proxy):
        for _ in range(3):
            with load(service.client.base_url) as sent:
                sent.wait_for(50, 200, 201)
                proxy.reset()
                sent.wait_for(50, 200, 201)
            assert {response.status for response in sent.responses} <= {200, 201, 503}, service.log
        assert "Traceback" not in service.log
        assert stack.checked_out(service) == 0


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_frozen_server_delays_requests_for_a_limited_time(stack: Stack) -> None:
    """Its kernel still acknowledges packets and accepts connections."""
    limits: dict[str, Any] = {
        "database_pool_size": 4,
        "database_statement_timeout": STATEMENT_TIMEOUT,
    }
    paths = ["/slow?seconds=1.9", "/slow-commit?seconds=1", "/slow-rollback?seconds=1"]
    synchronous = "/slow-synchronously?seconds=1.9"
    with stack.serving(**limits) as service, ThreadPoolExecutor(8) as threads:
        with load(service.client.base_url) as before:
            before.wait_for(50, 200, 201)
        waiting = [threads.submit(service.client.get, path) for path in [*paths, synchronous]]
        eventually(lambda: stack.checked_out(service) == len(paths))
        eventually(lambda: stack.statements("SLEEP") == 2)
        stack.server.freeze()
        try:
            frozen = time.monotonic()
            paths = ["/api/v1/projects", "/health/ready"]
            waiting += [threads.submit(service.client.get, path) for path in paths]
            for response in waiting:
                assert response.result().status_code == 503, service.log
                assert time.monotonic() - frozen < BOUND
            service.call("GET", "/health/ready", status=503)
        finally:
            stack.server.thaw()
        eventually(lambda: service.client.get("/health/ready").status_code == 200)
        with load(service.client.base_url) as after:
            after.wait_for(50, 200, 201)
        assert {response.status for response in after.responses} == {200, 201}, service.log
        assert "Traceback" not in service.log
        assert stack.checked_out(service) == 0


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_lost_network_delays_requests_for_a_limited_time(stack: Stack) -> None:
    """Also a request whose statement has arrived, so that TCP retransmits nothing."""
    with serving_over_network(stack) as (service, proxy), ThreadPoolExecutor(1) as threads:
        slow = threads.submit(service.client.get, "/slow?seconds=1.9")
        eventually(lambda: stack.statements("SLEEP"))
        proxy.cut()
        lost = time.monotonic()
        assert slow.result().status_code == 503
        assert time.monotonic() - lost < BOUND
        proxy.restore()
        with load(service.client.base_url) as sent:
            sent.wait_for(30, 200, 201)
            proxy.cut()
            lost = time.monotonic()
            sent.wait_for(20, 503, after=lost)
            service.call("GET", "/health/live")
            proxy.restore()
            sent.wait_for(100, 200, 201, after=lost)
            restored = time.monotonic()
            sent.wait_for(100, 200, 201, after=restored)
        assert {response.status for response in sent.responses} == {200, 201, 503}, service.log
        assert {response.status for response in sent.since(restored)} <= {200, 201}, service.log
        assert max(response.seconds for response in sent.responses) < BOUND
        assert stack.checked_out(service) == 0
