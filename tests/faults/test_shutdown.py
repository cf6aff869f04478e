"""The service gets SIGTERM while it is busy."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from harness.load import load
from harness.waiting import eventually
from tests.faults.stack import Stack


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
        for trouble in ("Traceback", "Warning:", "was never awaited", "still running"):
            assert trouble not in service.log


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_request_in_flight_is_completed(stack: Stack) -> None:
    with stack.serving(shutdown_delay=0) as service, ThreadPoolExecutor(1) as threads:
        request = threads.submit(service.client.get, "/slow?seconds=1.5")
        eventually(lambda: stack.statements("%sleep%"))
        service.process.send_signal(signal.SIGTERM)
        assert request.result().status_code == 200
        assert service.process.wait(30) == 0
        assert "Traceback" not in service.log
