"""The limits of the HTTP protocol, with raw requests to a server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from fastapi import BackgroundTasks, FastAPI, Request, Response, WebSocket

from app.core.http_protocol import (
    LINGER_SECONDS,
    MAX_HEAD_BYTES,
    MAX_PIPELINED,
    MIN_BYTES_PER_SECOND,
    RECEIVE_SECONDS,
    SEND_SECONDS,
    SHUTDOWN_RECEIVE_SECONDS,
    HttpProtocol,
)
from tests.core.live_server import LiveServer, live_server_of
from tests.core.support import until

HOST = b"Host: test\r\n"
GET = b"GET /headers HTTP/1.1\r\n" + HOST
WAIT = b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /length HTTP/1.1\r\n" + HOST
EARLY = b"POST /early HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HANDSHAKE = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
LONG = b"x" * MAX_HEAD_BYTES
MANY = b"".join(b"X-%d: x\r\n" % number for number in range(10_000))


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


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


@pytest.fixture
async def running(shared: RunningServer) -> AsyncIterator[RunningServer]:
    """The shared server, without connections of other tests."""
    shared.released.clear()
    async with shared.stack:
        yield shared
    await until(lambda: not shared.connections)


@pytest.mark.parametrize(
    ("request_", "rejection"),
    [
        (b"GET /" + LONG, (414, "uri_too_long")),
        (b"GET /" + LONG + b" HTTP/1.1\r\n" + HOST + b"\r\n", (414, "uri_too_long")),
        (GET + b"X: " + LONG, (431, "request_header_fields_too_large")),
        (GET + MANY, (431, "request_header_fields_too_large")),
        (GET + MANY + b"\r\n", (431, "request_header_fields_too_large")),
        # More than what is read at once.
        (CHUNKED + b"1;" + 6 * LONG, (431, "request_header_fields_too_large")),
        (CHUNKED + b"1\r\nx\r\n0\r\n" + 6 * MANY, (431, "request_header_fields_too_large")),
        (GET + b"no colon\r\n\r\n", (400, "bad_request")),
        (CHUNKED + b"no number\r\n", (400, "bad_request")),
        # `websockets` accepts 128 headers, and no body.
        (GET + UPGRADE + b"X: x\r\n" * 200 + b"\r\n", (400, "bad_request")),
        (POST + UPGRADE + b"Content-Length: 1\r\n\r\nx", (400, "bad_request")),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_large_or_malformed_request_is_rejected(
    running: RunningServer, request_: bytes, rejection: tuple[int, str]
) -> None:
    client = await running.connect(request_)
    assert await client.rejection() == rejection
    await until(lambda: not running.server.server_state.tasks)
    # What follows is discarded, until the client has had time to read the response.
    client.send(GET, b"\r\n")
    other = await running.connect(GET, b"\r\n")
    assert (await other.response())[0] == 200
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


async def test_body_does_not_count_as_headers(running: RunningServer) -> None:
    client = await running.connect(POST, b"Content-Length: %d\r\n\r\n" % len(LONG), LONG)
    status, _, body = await client.response()
    assert (status, int(body)) == (200, len(LONG))


async def test_trailer_is_no_header(running: RunningServer) -> None:
    request = GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: ::1\r\n\r\n"
    client = await running.connect(request)
    _, _, body = await client.response()
    assert json.loads(body) == ["host", "transfer-encoding"]


@pytest.mark.parametrize("part", [GET, POST + b"Content-Length: 2\r\n\r\nx"])
async def test_half_sent_request_times_out(running: RunningServer, part: bytes) -> None:
    client = await running.half_sent(part)
    running.pass_seconds(RECEIVE_SECONDS)
    assert running.connections
    running.pass_seconds(1)
    assert await client.rejection() == (408, "request_timeout")
    assert await client.is_closed()


async def test_silent_connection_is_closed_without_a_response(running: RunningServer) -> None:
    client = await running.connect()
    await until(lambda: len(running.connections) == 1)
    running.pass_seconds(RECEIVE_SECONDS + 1)
    assert await client.is_closed()


async def test_upload_that_makes_progress_is_not_cut(running: RunningServer) -> None:
    size = MIN_BYTES_PER_SECOND * RECEIVE_SECONDS * 3
    client = await running.half_sent(POST, b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(RECEIVE_SECONDS * 3):
        client.send(b"x" * MIN_BYTES_PER_SECOND)
        await running.received.get()
        running.pass_seconds(1)
    assert (await client.response())[0] == 200


@pytest.mark.parametrize(
    "request_",
    [WAIT, POST.replace(b"/length", b"/late") + b"Content-Length: 300000\r\n\r\n" + 5 * LONG],
    ids=["before the response", "before the body is read"],
)
async def test_time_of_the_application_does_not_count(
    running: RunningServer, request_: bytes
) -> None:
    client = await running.connect(request_)
    await until(lambda: bool(running.server.server_state.tasks))
    running.pass_seconds(2 * RECEIVE_SECONDS)
    running.released.set()
    assert (await client.response())[0] == 200


async def test_rest_of_a_request_after_the_response_is_awaited_briefly(
    running: RunningServer,
) -> None:
    request = EARLY + b"Content-Length: 2\r\n\r\n"
    in_time, late = [await running.connect(request) for _ in range(2)]
    for client in (in_time, late):
        assert (await client.response())[0] == 200
    in_time.send(b"xx", GET, b"\r\n")
    assert (await in_time.response())[0] == 200
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await late.is_closed()
    in_time.send(GET, b"\r\n")
    assert (await in_time.response())[0] == 200


async def test_client_that_does_not_read_is_disconnected(running: RunningServer) -> None:
    before = running.server.server_state.total_requests
    client = await running.connect(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await until(lambda: running.server.server_state.total_requests > before)
    running.pass_seconds(SEND_SECONDS)
    assert running.connections
    running.pass_seconds(1)
    await until(lambda: not running.connections)
    with pytest.raises(asyncio.IncompleteReadError):
        await client.response()


async def test_shutdown_does_not_wait_for_half_sent_bodies() -> None:
    async with running_server() as running:
        client = await running.half_sent(POST, b"Content-Length: 2\r\n\r\nx")
        running.server.should_exit = True
        await until(lambda: running.connections[0].max_seconds_left == SHUTDOWN_RECEIVE_SECONDS)
        running.pass_seconds(SHUTDOWN_RECEIVE_SECONDS + 1)
        assert await client.rejection() == (408, "request_timeout")


async def test_new_connection_replaces_one_that_waits_for_its_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=2) as running:
        silent = await running.connect()
        await until(lambda: len(running.connections) == 1)
        running.pass_seconds(1)
        busy = [await running.connect(WAIT) for _ in range(2)]
        assert await silent.is_closed()
        await until(lambda: len(running.server.server_state.tasks) == 2)
        for _ in range(2):
            refused = await running.connect()
            assert await refused.rejection() == (503, "busy")
        running.released.set()
        for client in busy:
            assert (await client.response())[0] == 200
    assert caplog.text.count("Reached the limit of 2 connections") == 1


async def test_websockets_are_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=1) as running:
        websocket = await running.connect(b"GET /websocket HTTP/1.1\r\n", HOST, UPGRADE, HANDSHAKE)
        assert b" 101 " in await websocket.reader.readuntil(b"\r\n\r\n")
        refused = await running.connect()
        assert await refused.rejection() == (503, "busy")


async def test_pipelined_requests_are_limited(running: RunningServer) -> None:
    client = await running.connect(WAIT * 2 * MAX_PIPELINED)
    await until(lambda: bool(running.server.server_state.tasks))
    running.released.set()
    responses = [await client.response() for _ in range(MAX_PIPELINED + 1)]
    assert all(status == 200 for status, _, _ in responses)
    assert b"connection: close" in responses[-1][1]
    assert await client.is_closed()


async def test_malformed_request_does_not_take_the_response_of_the_one_before(
    running: RunningServer,
) -> None:
    client = await running.connect(WAIT, b"malformed\r\n")
    await until(lambda: bool(running.server.server_state.tasks))
    running.released.set()
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()


@pytest.mark.parametrize(("path", "status"), [(b"/fail", 500), (b"/fail-later", 200)])
async def test_connection_is_usable_after_an_error(
    running: RunningServer, path: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.connect(b"GET ", path, b" HTTP/1.1\r\n", HOST, b"\r\n")
    assert (await client.response())[0] == status
    await until(lambda: not running.server.server_state.tasks)
    assert "Exception in ASGI application" in caplog.text
    client.send(GET, b"\r\n")
    assert (await client.response())[0] == 200


async def test_response_in_place_of_100_closes_the_connection(running: RunningServer) -> None:
    client = await running.connect(EARLY, b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()
