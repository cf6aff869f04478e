"""The service gets SIGTERM while it is busy."""

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse, IncompleteRead

import httpx2
import pytest

from harness.load import load
from harness.waiting import eventually
from tests.faults.stack import Stack

TROUBLES = ("Traceback", "Warning:", "was never awaited", "still running")
HALF_SENT = b"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.drivers("asyncpg", "aiosqlite", further=("psycopg", "aiomysql", "asyncmy"))
def test_shutdown_under_load_is_graceful(stack: Stack) -> None:
    with stack.serving(shutdown_delay=1, pythondevmode="1") as service:
        with load(service.client.base_url) as sent:
            sent.wait_for(50, 200, 201)
            terminated = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            eventually(lambda: service.client.get("/health/ready").status_code == 503)
            not_ready = time.monotonic()
            sent.wait_for(20, 200, 201, after=not_ready)
            assert service.process.wait(30) == 0
            with pytest.raises(httpx2.ConnectError):
                httpx2.get(f"{service.client.base_url}/health/live")
        statuses = {response.status for response in sent.responses if response.received < not_ready}
        assert statuses == {200, 201}
        assert terminated < not_ready
        assert {
            response.name for response in sent.responses if response.status == 201
        } <= stack.names()
        for trouble in TROUBLES:
            assert trouble not in service.log


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_request_in_flight_is_completed(stack: Stack) -> None:
    with stack.serving(shutdown_delay=0) as service, ThreadPoolExecutor(1) as threads:
        request = threads.submit(service.client.get, "/slow?seconds=3")
        eventually(lambda: stack.statements("sleep"), lambda: service.log)
        service.process.send_signal(signal.SIGTERM)
        assert request.result().status_code == 200
        assert service.process.wait(30) == 0
        assert "Traceback" not in service.log


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_requests_that_outlast_the_timeout_get_a_problem(stack: Stack) -> None:
    with (
        stack.serving(shutdown_delay=0, shutdown_timeout=0, pythondevmode="1") as service,
        ExitStack() as clients,
    ):
        url = service.client.base_url

        def connect(request: bytes) -> socket.socket:
            client = socket.create_connection((url.host, url.port), timeout=30)
            clients.enter_context(client)
            client.sendall(request)
            return client

        def get(path: str) -> socket.socket:
            return connect(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

        cancelled = [connect(HALF_SENT), get("/slow?seconds=60")]
        eventually(lambda: stack.statements("sleep"), lambda: service.log)
        stream = HTTPResponse(get("/stream?seconds=0.01"))
        stream.begin()
        assert stream.read(1) == b"."
        service.process.send_signal(signal.SIGTERM)
        for client in cancelled:
            response = HTTPResponse(client)
            response.begin()
            assert (response.status, response.headers["Connection"]) == (503, "close")
            assert json.loads(response.read())["code"] == "ending"
        with pytest.raises(IncompleteRead):
            stream.read()
        assert service.process.wait(30) == 0
        assert "SHUTDOWN_TIMEOUT is over: cancelled 3 requests" in service.log
        for trouble in TROUBLES:
            assert trouble not in service.log
