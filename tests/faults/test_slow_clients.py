"""Clients that neither send nor read."""

import resource
import signal
import socket
from contextlib import ExitStack, suppress

import pytest

from tests.faults.stack import Stack

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF_SENT = POST + b'Content-Length: 100\r\n\r\n{"'
MAX_CONNECTIONS = 32
FILES = 64


@pytest.mark.drivers("aiosqlite")
def test_silent_clients_deny_no_connection_to_others_and_delay_no_shutdown(stack: Stack) -> None:
    with stack.serving(max_connections=MAX_CONNECTIONS) as service, ExitStack() as clients:
        url = service.client.base_url

        def connect(sent: bytes) -> socket.socket:
            client = socket.create_connection((url.host, url.port), timeout=10)
            clients.enter_context(client)
            client.sendall(sent)
            return client

        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        silent: list[socket.socket] = []
        for sent in (b"", GET[:20], HALF_SENT):
            silent = [connect(sent) for _ in range(2 * FILES)]
            assert status_of(connect(GET)) == b"200"
        assert "WARNING app.core.http_protocol" in service.log
        service.process.send_signal(signal.SIGTERM)
        assert {status_of(client) for client in silent} == {b"408", b""}
        assert service.process.wait(30) == 0
        for trouble in ("Traceback", "SHUTDOWN_TIMEOUT is over"):
            assert trouble not in service.log


def status_of(client: socket.socket) -> bytes:
    """The status of a response, or nothing from a connection that the server has closed."""
    with suppress(ConnectionResetError):
        return client.recv(12)[9:]
    return b""
