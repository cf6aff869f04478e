"""Clients that disconnect before the response."""

import socket

import pytest

from harness.load import load
from harness.running import Running
from harness.waiting import eventually
from tests.faults.stack import Stack

REQUESTS = 250  # to each of two endpoints
AT_ONCE = 50


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_abandoned_requests_leave_nothing_behind(stack: Stack) -> None:
    with stack.serving(database_pool_size=5) as service:
        # /slow runs to its end; /stream is cancelled while a statement is executing.
        for path in ("/slow?seconds=0.02", "/stream?seconds=0.02"):
            for _ in range(REQUESTS // AT_ONCE):
                sockets = [send(service, path) for _ in range(AT_ONCE)]
                eventually(lambda: stack.checked_out(service))
                for each in sockets:
                    each.close()
        eventually(lambda: stack.checked_out(service) == 0, lambda: service.log)
        eventually(lambda: stack.open_transactions() == 0, lambda: service.log)
        with load(service.client.base_url) as sent:
            sent.wait_for(100, 200, 201)
        assert {response.status for response in sent.responses} == {200, 201}, service.log
        assert stack.checked_out(service) == 0


def send(service: Running, path: str) -> socket.socket:
    url = service.client.base_url
    client = socket.create_connection((url.host, url.port), timeout=30)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client
