"""A server in the process of the test, and clients that send raw requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from fastapi import BackgroundTasks, FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse

from app.core.http_protocol import MAX_HEAD_BYTES, HttpProtocol
from tests.core.live_server import LiveServer, live_server_of
from tests.core.support import until

HOST = b"Host: test\r\n"
GET = b"GET /headers HTTP/1.1\r\n" + HOST
WAIT = b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /length HTTP/1.1\r\n" + HOST
EARLY = b"POST /early HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
LONG = b"x" * MAX_HEAD_BYTES


class Client:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def response(self) -> tuple[int, bytes, bytes]:
        """Receive a response: its status, its headers and its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), head, await self.reader.readexactly(length)

    async def rejection(self) -> tuple[int, str]:
        """Receive an error response after which the server closes the connection."""
        status, head, body = await self.response()
        assert b"connection: close" in head
        assert b"date: " in head
        assert (b"retry-after: 1" in head) is (status == 503)
        assert json.loads(body)["status"] == status
        return status, json.loads(body)["code"]

    async def is_closed(self) -> bool:
        """Wait until the server has closed the connection."""
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True


@dataclass
class RunningServer:
    """A server in this process; `/wait` and `/read` wait until they are released."""

    server: LiveServer
    port: int
    stack: AsyncExitStack
    received: asyncio.Queue[int]
    released: asyncio.Event

    @property
    def connections(self) -> list[HttpProtocol]:
        every = self.server.server_state.connections
        return [each for each in every if isinstance(each, HttpProtocol)]

    async def connect(self, *parts: bytes) -> Client:
        """Open a connection, and send this."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.stack.callback(writer.close)
        client = Client(reader, writer)
        client.send(*parts)
        return client

    async def half_sent(self, *parts: bytes) -> Client:
        """Open a connection, and wait until the server has received these parts of a request."""
        client = await self.connect(*parts)
        await until(lambda: any(each.unparsed or each.receiving_body for each in self.connections))
        return client

    @asynccontextmanager
    async def reused(self) -> AsyncIterator["RunningServer"]:
        """Use this server in a test, and then close its connections and end its requests."""
        self.released.clear()
        async with self.stack:
            yield self
        self.released.set()
        await until(lambda: not self.connections and not self.server.server_state.tasks)

    def cancel_requests(self) -> None:
        for task in self.server.server_state.tasks:
            task.cancel()

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            for connection in self.connections:
                connection.timer.cancel()
                connection.count_second()


@asynccontextmanager
async def running_server(max_connections: int | None = None) -> AsyncIterator[RunningServer]:
    app = FastAPI()
    received = asyncio.Queue[int]()
    released = asyncio.Event()

    @app.get("/headers")
    async def names_of_headers(request: Request) -> list[str]:
        return list(request.headers)

    @app.get("/wait")
    async def wait() -> str:
        await released.wait()
        return "done"

    @app.post("/length")
    async def length(request: Request) -> int:
        total = 0
        async for part in request.stream():
            total += len(part)
            received.put_nowait(len(part))
        return total

    @app.post("/late")
    async def late(request: Request) -> int:
        await released.wait()
        return len(await request.body())

    @app.post("/early")
    async def early() -> str:
        return "early"

    @app.websocket("/websocket")
    async def accept(websocket: WebSocket) -> None:
        await websocket.accept()
        await released.wait()

    @app.get("/large")
    async def large() -> Response:
        return Response(bytes(20_000_000))

    @app.get("/stream")
    @app.post("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield "part"
            await released.wait()

        return StreamingResponse(parts())

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield bytes(100_000)
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.get("/cancelled")
    async def await_cancelled() -> None:
        raise asyncio.CancelledError

    @app.get("/wait-later")
    async def wait_later(tasks: BackgroundTasks) -> None:
        tasks.add_task(wait)

    @app.get("/fail")
    async def fail() -> None:
        raise RuntimeError

    @app.get("/fail-later")
    async def fail_later(tasks: BackgroundTasks) -> None:
        tasks.add_task(fail)

    async with (
        live_server_of(app, limit_concurrency=max_connections) as (server, port),
        AsyncExitStack() as stack,
    ):
        stack.callback(released.set)
        yield RunningServer(server, port, stack, received, released)


@pytest.fixture(scope="session")
async def shared_raw_server() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


@pytest.fixture
async def raw_server(shared_raw_server: RunningServer) -> AsyncIterator[RunningServer]:
    """The shared server, without connections of other tests."""
    async with shared_raw_server.reused() as running:
        yield running
