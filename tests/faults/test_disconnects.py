"""Clients that disconnect before the response."""

import socket
from contextlib import suppress

import pytest

from harness.load import load
from harness.running import Running
from harness.waiting import eventually
from tests.faults.stack import Stack

REQUESTS = 250  # of each kind
AT_ONCE = 50
CONNECTIONS = 5


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
@pytest.mark.parametrize(
    ("path", "streams"),
    [
        pytest.param("/slow?seconds=0.02", 0, id="request runs to its end"),
        pytest.param("/stream?seconds=0.02", CONNECTIONS, id="statement is cancelled"),
        pytest.param("/stream?seconds=0&pause=60", CONNECTIONS, id="transaction is cancelled"),
    ],
)
def test_abandoned_requests_leave_nothing_behind(stack: Stack, path: str, streams: int) -> None:
    with stack.serving(database_pool_size=CONNECTIONS) as service:
        for _ in range(REQUESTS // AT_ONCE):
            sockets = [send(service, path) for _ in range(AT_ONCE)]
            eventually(lambda: stack.checked_out(service))
            eventually(lambda: sum(map(has_chunk, sockets)) >= streams)  # noqa: B023
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


def has_chunk(client: socket.socket) -> bool:
    """Return whether a statement of a stream has been executed."""
    with suppress(BlockingIOError):  # nothing has arrived
        return client.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT).endswith(b".\r\n")
    return False
