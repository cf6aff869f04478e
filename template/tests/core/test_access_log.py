"""The access log."""

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from httpx2 import ASGITransport, AsyncClient
from httpx2.websockets import WebSocketUpgradeError
from starlette.types import Message

from app.core.access_log import AccessLogMiddleware
from app.core.health import ShuttingDown
from app.core.logs import add_request
from app.factory import create_app
from app.settings import Settings
from tests.core.live_server import client_of_port, live_client_of, live_server_of
from tests.core.raw_server import Client
from tests.core.support import until

pytestmark = pytest.mark.usefixtures("no_routers")


Entry = tuple[str | None, str | None, int | None]


class AccessLog:
    """The entries of the access log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "app.core.access_log")
        self.caplog = caplog

    @property
    def records(self) -> list[logging.LogRecord]:
        name = "app.core.access_log"
        return [record for record in self.caplog.records if record.name == name]

    @property
    def entries(self) -> list[Entry]:
        """The method, route and status of each entry."""
        return [
            (fields.get("method"), fields.get("route"), fields.get("status"))
            for fields in map(vars, self.records)
        ]

    @property
    def messages(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def access_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> AccessLog:
    monkeypatch.setattr(caplog.handler, "filters", [add_request])
    return AccessLog(caplog)


@pytest.fixture
def logged(settings: Settings) -> FastAPI:
    """An application with endpoints for these tests."""
    return app_with(settings)


def app_with(settings: Settings, **changes: Any) -> FastAPI:
    app = create_app(settings.model_copy(update=changes))
    waiting = app.state.waiting = asyncio.Event()
    app.state.released = asyncio.Event()

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        return number

    @app.post("/body")
    async def body(request: Request) -> int:
        waiting.set()
        return len(await request.body())

    @app.get("/fail")
    async def fail() -> None:
        raise RuntimeError

    @app.get("/busy")
    async def busy() -> None:
        raise ShuttingDown

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(app.state.released.wait)

    @app.get("/wait")
    async def wait() -> None:
        waiting.set()
        await app.state.released.wait()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"part"
            waiting.set()
            await app.state.released.wait()

        return StreamingResponse(parts())

    @app.get("/cancelled")
    async def cancelled() -> None:
        raise asyncio.CancelledError

    @app.websocket("/socket/{number}")
    async def socket(websocket: WebSocket, number: int) -> None:
        if number > 1:
            await websocket.accept()
            await websocket.receive_text()

    return app


def client_of(app: FastAPI) -> AsyncClient:
    transport = ASGITransport(app, raise_app_exceptions=False)
    return AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("method", "path", "options", "entry"),
    [
        ("GET", "/items/7", {}, ("GET", "/items/{number}", 200)),
        ("HEAD", "/items/7", {}, ("HEAD", "/items/{number}", 200)),
        ("GET", "/items/x", {}, ("GET", "/items/{number}", 422)),
        ("PUT", "/items/7", {}, ("PUT", "/items/{number}", 405)),
        ("GET", "/nowhere", {}, ("GET", None, 404)),
        ("GET", "/fail", {}, ("GET", "/fail", 500)),
        ("GET", "/busy", {}, ("GET", "/busy", 503)),
        ("POST", "/body", {"content": bytes(2000)}, ("POST", "/body", 413)),
        ("GET", "/items/7", {"headers": {"Host": "evil.example"}}, ("GET", None, 421)),
        ("GET", "/health/live", {"headers": {"Host": "any"}}, ("GET", "/health/live", 200)),
    ],
)
async def test_each_request_has_one_entry(
    settings: Settings,
    access_log: AccessLog,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    options: dict[str, Any],
    entry: Entry,
) -> None:
    monkeypatch.setattr("app.core.access_log.perf_counter", count(1, 2.5).__next__)
    async with client_of(app_with(settings, max_body_bytes=1000)) as client:
        response = await client.request(method, f"{path}?token=secret", **options)
    assert access_log.entries == [entry]
    [record] = access_log.records
    fields = vars(record)
    assert fields["request_id"] == response.headers["X-Request-ID"]
    assert fields["duration"] == 2.5
    assert access_log.messages == [f"{method} {path} from 127.0.0.1"]


async def test_only_successful_health_checks_are_logged_at_debug(
    settings: Settings, access_log: AccessLog
) -> None:
    app = app_with(settings)
    async with client_of(app) as client:
        await client.get("/health/live")
        app.state.shutting_down = True
        await client.get("/health/ready")
        await client.get("/items/7")
    assert [record.levelname for record in access_log.records] == ["DEBUG", "INFO", "INFO"]


async def test_access_log_can_be_turned_off(settings: Settings, access_log: AccessLog) -> None:
    async with client_of(app_with(settings, access_log=False)) as client:
        await client.get("/items/7")
    assert access_log.entries == []


async def test_access_log_is_off_above_info(logged: FastAPI, access_log: AccessLog) -> None:
    access_log.caplog.set_level(logging.WARNING, "app.core.access_log")
    async with client_of(logged) as client:
        await client.get("/items/7")
    assert access_log.entries == []


async def test_entry_does_not_wait_for_background_tasks(
    logged: FastAPI, access_log: AccessLog
) -> None:
    async with live_client_of(logged) as client:
        assert (await client.get("/later")).status_code == 200
        assert access_log.entries == [("GET", "/later", 200)]
        logged.state.released.set()
    assert len(access_log.entries) == 1


@pytest.mark.parametrize(
    ("request_line", "status", "outcome"),
    [
        ("GET /wait HTTP/1.1", 499, ""),
        ("POST /body HTTP/1.1\r\nContent-Length: 9", 499, ""),
        ("GET /stream HTTP/1.1", 200, ", incomplete"),
    ],
)
async def test_disconnect_of_the_client_is_logged(
    logged: FastAPI, access_log: AccessLog, request_line: str, status: int, outcome: str
) -> None:
    method, path, _ = request_line.split(" ", 2)
    async with live_server_of(logged) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        Client(reader, writer).send(f"{request_line}\r\nHost: test\r\n\r\n".encode())
        await logged.state.waiting.wait()
        writer.close()
        await until(lambda: not server.server_state.connections)
        logged.state.released.set()
        await until(lambda: access_log.entries != [])
    assert access_log.entries == [(method, path, status)]
    assert access_log.messages == [f"{method} {path} from 127.0.0.1{outcome}"]


async def test_request_that_takes_too_long_to_arrive_has_the_status_of_its_response(
    logged: FastAPI, access_log: AccessLog
) -> None:
    async with live_server_of(logged) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = Client(reader, writer)
        client.send(b"POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n")
        await logged.state.waiting.wait()
        [connection] = server.server_state.connections
        connection.stop_waiting()  # type: ignore[union-attr]
        assert await client.rejection() == (408, "request_timeout")
        writer.close()
        await until(lambda: access_log.entries != [])
    assert access_log.entries == [("POST", "/body", 408)]


@pytest.mark.parametrize(("path", "status"), [("/wait", 503), ("/cancelled", 500)])
async def test_cancelled_request_has_the_status_of_its_response(
    logged: FastAPI, access_log: AccessLog, path: str, status: int
) -> None:
    async with (
        live_server_of(logged) as (server, port),
        client_of_port(port) as client,
    ):
        headers = {"Host": "test", "X-Request-ID": "mine"}
        request = asyncio.create_task(client.get(path, headers=headers))
        if path == "/wait":
            await logged.state.waiting.wait()
            for task in server.server_state.tasks:
                task.cancel()
        response = await request
    assert response.status_code == status
    assert response.headers["X-Request-ID"] == "mine"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert access_log.entries == [("GET", path, status)]


async def test_websocket_is_logged_when_it_is_closed(
    logged: FastAPI, access_log: AccessLog
) -> None:
    async with live_client_of(logged) as client:
        async with client.websocket("/socket/2?token=secret"):
            assert access_log.entries == []
        await until(lambda: access_log.entries != [])
    assert access_log.entries == [("WebSocket", "/socket/{number}", 101)]
    assert access_log.messages == ["WebSocket /socket/2 from 127.0.0.1, closed with 1000"]


@pytest.mark.parametrize(
    ("path", "host", "entry"),
    [
        ("/socket/x", "test", ("WebSocket", "/socket/{number}", 422)),
        ("/socket/2", "evil.example", ("WebSocket", None, 421)),
        ("/nowhere", "test", ("WebSocket", None, 403)),
        ("/socket/1", "test", ("WebSocket", "/socket/{number}", None)),
    ],
)
async def test_websocket_that_is_not_accepted_is_logged(
    logged: FastAPI, access_log: AccessLog, path: str, host: str, entry: Entry
) -> None:
    async with live_client_of(logged) as client:
        with pytest.raises(WebSocketUpgradeError):
            async with client.websocket(path, headers={"Host": host}):
                pytest.fail("accepted")
    assert access_log.entries == [entry]
    assert access_log.messages == [f"WebSocket {path} from 127.0.0.1"]


async def test_websocket_that_the_server_closes_has_its_code(
    settings: Settings, access_log: AccessLog
) -> None:
    async def close(_: object, __: object, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 3000})

    async def send(_: Message) -> None: ...

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await AccessLogMiddleware(close)({"type": "websocket", "path": "/"}, receive, send)
    assert access_log.messages == ["WebSocket / from -, closed with 3000"]
