"""The end of the process: in order, and with status 0."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from httpx import AsyncClient, ConnectError, Response

from app.core.server import Server, serve
from app.database import Database
from app.factory import create_app
from app.settings import Settings

SECONDS_AT_MOST = 20


@dataclass
class Serving:
    """A server in this process, whose `/slow` waits to be released."""

    client: AsyncClient
    server: Server
    task: asyncio.Task[None]
    database: Database
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask_slow(self) -> asyncio.Task[Response]:
        """A request that is in flight."""
        request = asyncio.create_task(self.client.get("/slow"))
        await self.begun.wait()
        return request


@asynccontextmanager
async def serving(settings: Settings, delay: float) -> AsyncIterator[Serving]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    changes = {"port": port, "shutdown_delay": delay, "allowed_hosts": ["127.0.0.1"]}
    app = create_app(settings.model_copy(update=changes))
    server = Server(app, app.state.settings)
    async with (
        asyncio.timeout(SECONDS_AT_MOST),
        AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        task = asyncio.create_task(server.serve())
        serving = Serving(client, server, task, app.state.database)

        @app.get("/slow")
        async def slow() -> str:
            serving.begun.set()
            await serving.released.wait()
            return "done"

        await until(lambda: server.started)
        yield serving
        serving.released.set()
        server.stop()
        await task


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def test_readiness_turns_off_while_requests_are_still_served(settings: Settings) -> None:
    async with serving(settings, delay=0.5) as process:
        terminate()
        while (ready := await process.client.get("/health/ready")).json()["status"] != 503:
            pass
        assert ready.json()["code"] == "ending"
        assert (await process.client.get("/health/live")).status_code == 200
        await process.task
        with pytest.raises(ConnectError):
            await process.client.get("/health/live")


async def test_request_in_flight_is_finished_before_connections_are_closed(
    settings: Settings,
) -> None:
    async with serving(settings, delay=0) as process:
        async with process.database.write() as session:
            await session.connection()
        request = await process.ask_slow()
        terminate()
        await until(lambda: process.server.should_exit)
        process.released.set()
        response = await request
        assert (response.status_code, response.json()) == (200, "done")
        await process.task
        assert process.database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


async def test_second_signal_does_not_wait(settings: Settings) -> None:
    async with serving(settings, delay=60) as process:
        request = await process.ask_slow()
        for _ in range(2):
            terminate()
        await process.task
        request.cancel()


async def test_signals_are_handled_as_before_when_it_has_ended(settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serving(settings, delay=0) as process:
        assert signal.getsignal(signal.SIGTERM) != before
    assert process.task.done()
    assert signal.getsignal(signal.SIGTERM) == before


def test_server_that_cannot_start_says_so_with_its_status(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings)
    monkeypatch.setattr(Server, "run", lambda _: None)
    with pytest.raises(SystemExit, match="3"):
        serve(app, settings)
    monkeypatch.setattr(Server, "started", True, raising=False)
    monkeypatch.setattr(Server, "__init__", lambda *_: None)
    serve(app, settings)
