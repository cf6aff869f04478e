"""The application on a server, for tests of streams, server-sent events and WebSockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.core.http_protocol import HttpProtocol

SECONDS_TO_STOP = 5


class LiveServer(uvicorn.Server):
    """uvicorn in a task of the test."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to pytest: uvicorn's own version would handle Ctrl+C."""
        yield


@asynccontextmanager
async def live_server_of(app: FastAPI, **options: Any) -> AsyncIterator[tuple[LiveServer, int]]:
    """Serve a started application in this event loop, and yield the server and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            http=HttpProtocol,
            timeout_graceful_shutdown=SECONDS_TO_STOP,
            **options,
        )
        server = LiveServer(config)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield server, listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


def client_of_port(port: int, headers: dict[str, str] | None = None) -> AsyncClient:
    """Return a client of a server in this process. It reads no certificates, which takes 40 ms."""
    return AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, verify=False)


@asynccontextmanager
async def live_client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Serve a started application in this event loop, and yield a client that connects to it."""
    # The host of the other clients, which `allowed_hosts` contains.
    headers = {"Host": "test"}
    async with (
        live_server_of(app) as (_, port),
        client_of_port(port, headers) as client,
    ):
        yield client
