"""The application on a server, for tests of streams, server-sent events and WebSockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI
from httpx2 import AsyncClient

SECONDS_TO_STOP = 5


class LiveServer(uvicorn.Server):
    """uvicorn in a task of the test."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to pytest: uvicorn's own version would handle Ctrl+C."""
        yield


@asynccontextmanager
async def live_client_of(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Serve a started application in this event loop, and yield a client that connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, timeout_graceful_shutdown=SECONDS_TO_STOP
        )
        server = LiveServer(config)
        serving = asyncio.create_task(server.serve([listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            # The host of the other clients, which `allowed_hosts` contains.
            async with AsyncClient(base_url=address, headers={"Host": "test"}) as client:
                yield client
        finally:
            server.should_exit = True
            await serving
