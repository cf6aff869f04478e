"""WebSockets: origins, hosts, request IDs, and errors before and after they are accepted."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.responses import PlainTextResponse
from httpx2 import AsyncClient
from httpx2.websockets import WebSocketDisconnect, WebSocketUpgradeError
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException, WebSocketException
from starlette.types import Message

from app.core.errors import NotFound
from app.core.log_setup import is_new
from app.core.logs import add_request
from app.factory import create_app
from app.settings import Settings
from tests.core.live_server import live_client_of
from tests.core.things import Thing

pytestmark = pytest.mark.usefixtures("no_routers")


ORIGIN = "https://app.example.org"
ERRORS: dict[str, BaseException] = {
    "client": NotFound(),
    "http": HTTPException(409),
    "busy": PoolTimeout(),
    "bug": RuntimeError("secret"),
    "cancelled": asyncio.CancelledError(),
    "sql": DBAPIError("SELECT secret", None, Exception("secret")),
    "own": LookupError(),
    "websocket": WebSocketException(3000, "mine"),
}


@pytest.fixture
def sockets(settings: Settings) -> FastAPI:
    """An application with WebSockets that raise errors."""
    app = create_app(settings.model_copy(update={"cors_origins": [ORIGIN]}))

    @app.exception_handler(LookupError)
    async def respond(_: object, __: Exception) -> PlainTextResponse:
        return PlainTextResponse("not found", 404)

    @app.websocket("/before/{name}")
    async def fail_before(name: str) -> None:
        raise ERRORS[name]

    @app.websocket("/after/{name}")
    async def fail_after(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        raise ERRORS[name]

    @app.websocket("/closed/{name}")
    async def fail_when_closed(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        await websocket.close(1000, "done")
        raise ERRORS[name]

    @app.websocket("/returns")
    async def return_at_once() -> None:
        pass

    @app.websocket("/echo/{times}")
    async def echo(websocket: WebSocket, times: int) -> None:
        await websocket.accept()
        for _ in range(times):
            await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    return app


@pytest.fixture
async def connecting(sockets: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of `sockets` on a server."""
    async with live_client_of(sockets) as client:
        yield client


async def messages_without_extension(app: FastAPI, path: str, **headers: str) -> list[Message]:
    """Return what the application sends to a server that supports no response to a handshake."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": path, "query_string": b"", "app": app}
    named = {"host": "test"} | headers
    scope["headers"] = [(name.encode(), value.encode()) for name, value in named.items()]
    await app(scope, receive, send)
    return sent


async def test_websocket_has_a_request_id(connecting: AsyncClient) -> None:
    async with connecting.websocket("/echo/1", headers={"X-Request-ID": "mine"}) as websocket:
        await websocket.send_text("x")
        assert await websocket.receive_text() == "x"
        assert websocket.response is not None
        assert websocket.response.headers["x-request-id"] == "mine"


@pytest.mark.parametrize("origin", [ORIGIN, "http://test", "https://TEST", None])
async def test_websocket_of_an_allowed_origin_is_accepted(
    connecting: AsyncClient, origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    async with connecting.websocket("/echo/1", headers=headers) as websocket:
        await websocket.send_text("x")
        assert await websocket.receive_text() == "x"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example"}, 403, "unknown_origin"),
        ({"Origin": "https://test.evil.example"}, 403, "unknown_origin"),
        ({"Origin": "null"}, 403, "unknown_origin"),
        ({"Host": "evil.example"}, 421, "unknown_host"),
    ],
)
async def test_websocket_of_an_unknown_host_or_origin_is_rejected(
    connecting: AsyncClient, sockets: FastAPI, headers: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(WebSocketUpgradeError) as caught:
        async with connecting.websocket("/echo/1", headers=headers):
            pytest.fail("accepted")
    response = caught.value.response
    assert (response.status_code, response.headers["x-frame-options"]) == (status, "DENY")
    closed = await messages_without_extension(
        sockets, "/echo/1", **{name.lower(): value for name, value in headers.items()}
    )
    assert closed == [{"type": "websocket.close", "code": 1008, "reason": code}]


async def test_asterisk_allows_any_origin(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": ["*"]}))
    [closed] = await messages_without_extension(app, "/nowhere", origin="https://any.example")
    assert closed["code"] == 1000  # Starlette's response to an unknown path


@pytest.mark.parametrize(
    ("path", "status", "close_code", "code"),
    [
        ("/before/client", 404, 1008, "not_found"),
        ("/before/http", 409, 1008, "conflict"),
        ("/before/busy", 503, 1013, "unavailable"),
        ("/before/own", 404, 1008, "Not Found"),
        ("/echo/many", 422, 1008, "invalid_request"),
    ],
)
async def test_error_before_a_websocket_is_accepted_is_a_response(
    connecting: AsyncClient,
    sockets: FastAPI,
    path: str,
    status: int,
    close_code: int,
    code: str,
) -> None:
    with pytest.raises(WebSocketUpgradeError) as caught:
        async with connecting.websocket(path):
            pytest.fail("accepted")
    assert caught.value.response.status_code == status
    assert "x-request-id" in caught.value.response.headers
    closed = await messages_without_extension(sockets, path)
    assert closed == [{"type": "websocket.close", "code": close_code, "reason": code}]


@pytest.mark.parametrize(
    ("name", "close_code", "reason"),
    [
        ("client", 1008, "not_found"),
        ("http", 1008, "conflict"),
        ("busy", 1013, "unavailable"),
        ("bug", 1011, "internal_server_error"),
        ("cancelled", 1011, "internal_server_error"),
        ("sql", 1011, "internal_server_error"),
        ("own", 1008, "Not Found"),
        ("websocket", 3000, "mine"),
    ],
)
async def test_error_of_an_accepted_websocket_is_a_close_frame(
    connecting: AsyncClient, name: str, close_code: int, reason: str
) -> None:
    async with connecting.websocket(f"/after/{name}") as websocket:
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
    assert (caught.value.code, caught.value.reason) == (close_code, reason)


@pytest.mark.parametrize("name", ["client", "busy", "bug"])
async def test_error_of_a_closed_websocket_is_only_logged(
    connecting: AsyncClient, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connecting.websocket(f"/closed/{name}") as websocket:
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
    assert (caught.value.code, caught.value.reason) == (1000, "done")
    assert "Unexpected ASGI message" not in caplog.text


async def test_errors_of_websockets_are_logged_with_request_id_and_path(
    sockets: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(caplog.handler, "filters", [add_request])
    async with live_client_of(sockets) as client:
        for name in ("client", "busy", "bug"):
            headers = {"X-Request-ID": f"after.{name}"}
            async with client.websocket(f"/after/{name}", headers=headers) as websocket:
                with pytest.raises(WebSocketDisconnect):
                    await websocket.receive_text()
        with pytest.raises(WebSocketUpgradeError) as caught:
            async with client.websocket("/before/bug", headers={"X-Request-ID": "before.bug"}):
                pytest.fail("accepted")
        assert caught.value.response.status_code == 500
        async with client.websocket("/echo/2", headers={"X-Request-ID": "left"}) as websocket:
            await websocket.send_text("x")
    logged = {
        (vars(record)["request_id"], record.levelname, record.getMessage().strip())
        for record in caplog.records
    }
    assert logged >= {
        ("after.client", "INFO", "WebSocket /after/{name} closed: 1008 not_found"),
        ("after.busy", "WARNING", "unavailable (TimeoutError): ()"),
        ("after.bug", "ERROR", "Exception in ASGI application"),
        ("before.bug", "ERROR", "Exception in ASGI application"),
        ("left", "INFO", "WebSocket /echo/2 from 127.0.0.1, closed with 1000"),
    }
    assert not [entry for entry in logged if entry[:2] == ("left", "ERROR")]


async def test_error_response_to_a_handshake_is_no_alarm(
    sockets: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caplog.handler, "filters", [is_new])
    alarm = "ASGI callable returned without completing handshake."
    for path, alarms in (("/before/client", []), ("/returns", [alarm])):
        async with live_client_of(sockets) as client:
            with pytest.raises(WebSocketUpgradeError):
                async with client.websocket(path):
                    pytest.fail("accepted")
        assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == alarms


async def test_session_of_a_websocket_is_committed_when_it_ends(
    app: FastAPI, session: AsyncSession
) -> None:
    async with live_client_of(app) as client, client.websocket("/things/live") as websocket:
        for name in ("a", "b"):
            await websocket.send_text(name)
            assert await websocket.receive_text() == name
    assert set(await session.scalars(select(Thing.name))) == {"a", "b"}


async def test_failed_session_of_a_websocket_is_rolled_back_and_closed_with_the_code(
    live_client: AsyncClient, session: AsyncSession
) -> None:
    async with live_client.websocket("/things/live") as websocket:
        for name in ("a", "a"):
            await websocket.send_text(name)
        assert await websocket.receive_text() == "a"
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
    assert (caught.value.code, caught.value.reason) == (1008, "unique")
    assert await session.scalar(select(func.count()).select_from(Thing)) == 0
