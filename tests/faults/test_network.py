"""The network between the service and its database loses everything without a word."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from harness.load import load
from harness.network import Network, network
from harness.running import Running
from harness.waiting import eventually
from tests.faults.stack import Stack

STATEMENT_TIMEOUT = 2
CONNECT_TIMEOUT = 5
# What a statement may take and half as much again, rounded up to the next probe of the kernel;
# then the time for closing a connection in order; for some drivers that for a new one.
BOUND = 1.5 * STATEMENT_TIMEOUT + 1 + 2 + CONNECT_TIMEOUT

ON_EVERY_DRIVER = pytest.mark.drivers("asyncpg", "psycopg", "aiomysql", further=("asyncmy",))


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


@ON_EVERY_DRIVER
def test_lost_network_holds_up_requests_for_a_bounded_time(stack: Stack) -> None:
    """Also one whose statement had arrived: no packet of it misses an acknowledgement."""
    with serving_over_network(stack) as (service, proxy), ThreadPoolExecutor(1) as threads:
        slow = threads.submit(service.client.get, "/slow?seconds=1.9")
        eventually(lambda: stack.statements("SLEEP"))
        proxy.cut()
        away = time.monotonic()
        assert slow.result().status_code == 503
        assert time.monotonic() - away < BOUND
        proxy.mend()
        with load(service.client.base_url) as sent:
            sent.wait_for(30, 200, 201)
            proxy.cut()
            away = time.monotonic()
            sent.wait_for(20, 503, after=away)
            service.call("GET", "/health/live")
            proxy.mend()
            sent.wait_for(100, 200, 201, after=away)
            healed = time.monotonic()
            sent.wait_for(100, 200, 201, after=healed)
        assert {answer.status for answer in sent.answers} == {200, 201, 503}, service.log
        assert {answer.status for answer in sent.since(healed)} <= {200, 201}, service.log
        assert max(answer.seconds for answer in sent.answers) < BOUND
        assert stack.checked_out(service) == 0
