"""The server: graceful shutdown, and the exit status."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from fastapi import Request, WebSocket
from httpx2 import ASGITransport, AsyncClient, ConnectError, Response
from httpx2.websockets import WebSocketDisconnect
from sqlalchemy import event, text

from app.core.server import Server, max_connections, serve, shutdown_signals
from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.live_server import client_of_port
from tests.core.support import until

pytestmark = pytest.mark.usefixtures("no_routers")


MAX_SECONDS = 20


@dataclass
class RunningServer:
    """A server in this process, whose `/slow` waits until it is released."""

    client: AsyncClient
    server: Server
    task: asyncio.Task[None]
    database: Database
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)

    async def start_slow_request(self) -> asyncio.Task[Response]:
        """Return a request in flight."""
        request = asyncio.create_task(self.client.get("/slow"))
        await self.begun.wait()
        return request


@asynccontextmanager
async def running_server(
    settings: Settings, delay: float, **changes: int
) -> AsyncIterator[RunningServer]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own = {"port": port, "shutdown_delay": delay, "allowed_hosts": ["127.0.0.1"]}
    app = create_app(settings.model_copy(update=own | changes))
    server = Server(app, app.state.settings)
    async with (
        asyncio.timeout(MAX_SECONDS),
        client_of_port(port) as client,
    ):
        task = asyncio.create_task(server.serve())
        running = RunningServer(client, server, task, app.state.database)

        @app.get("/slow")
        async def slow() -> str:
            running.begun.set()
            try:
                await running.released.wait()
            except asyncio.CancelledError:
                async with running.database.write() as session:
                    await session.execute(text("SELECT 1"))
                running.ended.append("request")
                raise
            return "done"

        @app.websocket("/messages")
        async def receive(websocket: WebSocket) -> None:
            await websocket.accept()
            while True:
                await websocket.send_text(str(len(await websocket.receive_text())))

        @app.websocket("/busy")
        async def ignore_messages(websocket: WebSocket) -> None:
            await websocket.accept()
            running.begun.set()
            await running.released.wait()

        await until(lambda: server.started)
        yield running
        running.released.set()
        server.stop()
        await task


def send_sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def test_readiness_fails_while_requests_are_still_served(settings: Settings) -> None:
    async with running_server(settings, delay=0.5) as running:
        send_sigterm()
        while (ready := await running.client.get("/health/ready")).status_code != 503:
            pass
        assert ready.json()["code"] == "ending"
        assert (await running.client.get("/health/live")).status_code == 200
        await running.task
        with pytest.raises(ConnectError):
            await running.client.get("/health/live")


async def test_request_in_flight_is_finished_before_connections_are_closed(
    settings: Settings,
) -> None:
    async with running_server(settings, delay=0) as running:
        async with running.database.write() as session:
            await session.connection()
        request = await running.start_slow_request()
        send_sigterm()
        await until(lambda: running.server.should_exit)
        running.released.set()
        response = await request
        assert (response.status_code, response.json()) == (200, "done")
        await running.task
        assert running.database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


async def test_cancelled_request_ends_before_connections_are_closed(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_server(settings, delay=0, shutdown_timeout=0) as running:
        engine = running.database.engine.sync_engine
        event.listen(engine, "engine_disposed", lambda _: running.ended.append("database"))
        request = await running.start_slow_request()
        send_sigterm()
        await running.task
        response = await request
        assert (response.status_code, response.json()["code"]) == (503, "ending")
        assert (response.headers["Connection"], response.headers["Retry-After"]) == ("close", "1")
        assert running.ended[:2] == ["request", "database"]
        assert "Traceback" not in caplog.text


async def test_cancelled_websocket_leaves_no_traceback(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        running_server(settings, delay=0, shutdown_timeout=0) as running,
        running.client.websocket("/busy") as websocket,
    ):
        await running.begun.wait()
        send_sigterm()
        await running.task
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert caught.value.code == 1012
        assert "SHUTDOWN_TIMEOUT is over: cancelled 1 requests" in caplog.text
        assert "Traceback" not in caplog.text


async def test_websocket_message_over_the_limit_of_bodies_closes_the_websocket(
    settings: Settings,
) -> None:
    async with (
        running_server(settings, delay=0, max_body_bytes=1000) as running,
        running.client.websocket("/messages") as websocket,
    ):
        await websocket.send_text("x" * 1000)
        assert await websocket.receive_text() == "1000"
        await websocket.send_text("x" * 1001)
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert caught.value.code == 1009


async def test_second_signal_exits_at_once(settings: Settings) -> None:
    async with running_server(settings, delay=60) as running:
        request = await running.start_slow_request()
        for _ in range(2):
            send_sigterm()
        await running.task
        request.cancel()


@pytest.mark.parametrize("number", shutdown_signals())
async def test_signal_does_not_end_the_process(settings: Settings, number: signal.Signals) -> None:
    # uvicorn's own `capture_signals` raises the signal again when the server has stopped.
    received: list[int] = []
    before = signal.signal(number, lambda *_: received.append(number))
    try:
        async with running_server(settings, delay=0) as running:
            os.kill(os.getpid(), number)
            await running.task
        assert received == []
    finally:
        signal.signal(number, before)


async def test_signal_during_startup_shuts_down(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"port": 0, "shutdown_delay": 0}))
    server = Server(app, app.state.settings)
    task = asyncio.create_task(server.serve())
    await asyncio.sleep(0)
    assert not server.started
    send_sigterm()
    async with asyncio.timeout(MAX_SECONDS):
        await task


async def test_shutdown_without_requests_cancels_none(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    Server(create_app(settings), settings).cancel_requests()
    assert caplog.messages == []


@pytest.mark.parametrize(("handler", "shuts_down"), [(signal.SIG_DFL, 1), (signal.SIG_IGN, 0)])
def test_hangup_shuts_down_unless_nohup_ignores_it(
    handler: signal.Handlers, shuts_down: int
) -> None:
    before = signal.signal(signal.SIGHUP, handler)
    try:
        assert shutdown_signals().count(signal.SIGHUP) == shuts_down
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_signal_handlers_are_restored(settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with running_server(settings, delay=0) as running:
        assert signal.getsignal(signal.SIGTERM) != before
    assert running.task.done()
    assert signal.getsignal(signal.SIGTERM) == before


async def test_signal_handlers_are_restored_after_an_error(settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = Server(create_app(settings), settings)
    with pytest.raises(RuntimeError), server.capture_signals():
        raise RuntimeError
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("proxies", "peer", "sent", "seen"),
    [
        ([], "127.0.0.1", "1.2.3.4", "http 127.0.0.1"),
        ([], "::1", "1.2.3.4", "http ::1"),
        (["10.0.0.5"], "127.0.0.1", "1.2.3.4", "http 127.0.0.1"),
        (["10.0.0.5"], "10.0.0.5", "6.6.6.6, 1.2.3.4", "https 1.2.3.4"),
        (["10.0.0.5"], "10.0.0.5", "6.6.6.6, 1.2.3.4:80", "https 1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.5", "6.6.6.6, 1.2.3.4, 10.9.9.9", "https 1.2.3.4"),
        (["2001:db8::/32"], "2001:db8::5", "6.6.6.6, [2001:db9::7]:80", "https 2001:db9::7"),
        (["10.0.0.5"], "10.0.0.5", "", "https 10.0.0.5"),
        (["*"], "10.0.0.5", "1.2.3.4", "https 1.2.3.4"),
    ],
)
async def test_only_known_proxies_set_address_and_scheme(
    settings: Settings, proxies: list[str], peer: str, sent: str, seen: str
) -> None:
    app = create_app(settings.model_copy(update={"forwarded_allow_ips": proxies}))

    @app.get("/client")
    async def client_address(request: Request) -> str:
        assert request.client
        return f"{request.url.scheme} {request.client.host}"

    config = Server(app, app.state.settings).config
    config.load()
    transport = ASGITransport(config.loaded_app, client=(peer, 1))
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"X-Forwarded-For": sent, "X-Forwarded-Proto": "https"}
        headers["X-Forwarded-Host"] = "evil.example"
        assert (await client.get("/client", headers=headers)).json() == seen


@pytest.mark.parametrize(("files", "limit"), [(1024, 512), (1_000_000, 1000), (-1, 1000)])
def test_connections_use_at_most_half_of_the_files_that_may_be_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, files: int, limit: int
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_OPEN_MAX": files}.__getitem__)
    assert max_connections(settings.model_copy(update={"max_connections": 1000})) == limit


def test_server_that_cannot_start_exits_with_status_3(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings.model_copy(update={"port": taken.getsockname()[1]})
        with pytest.raises(SystemExit, match="3"):
            serve(create_app(settings), settings)
