"""The limits of the HTTP protocol, with raw requests to a server."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from math import inf

import pytest
from fastapi import BackgroundTasks, FastAPI, Request, Response, WebSocket
from fastapi.responses import StreamingResponse

from app.core import http_protocol
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
INVALID = "Invalid HTTP request received."  # logged once for each piece that is parsed
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
    shared.released.set()
    await until(lambda: not shared.connections and not shared.server.server_state.tasks)


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
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_large_or_malformed_request_is_rejected(
    running: RunningServer,
    request_: bytes,
    rejection: tuple[int, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client = await running.connect(request_)
    assert await client.rejection() == rejection
    assert f"with {rejection[0]}" in caplog.text
    await until(lambda: not running.server.server_state.tasks)
    # What follows is discarded, until the client has had time to read the response.
    parsed = caplog.text.count(INVALID)
    client.send(GET, b"\r\n")
    other = await running.connect(GET, b"\r\n")
    assert (await other.response())[0] == 200
    assert caplog.text.count(INVALID) == parsed
    assert len(running.connections) == 2
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


@pytest.mark.parametrize(
    "request_",
    # `websockets` accepts 128 headers, and no body.
    [GET + UPGRADE + b"X: x\r\n" * 200 + b"\r\n", POST + UPGRADE + b"Content-Length: 1\r\n\r\nx"],
    ids=["headers", "body"],
)
async def test_malformed_handshake_is_rejected(running: RunningServer, request_: bytes) -> None:
    client = await running.connect(request_)
    assert await client.rejection() == (400, "bad_request")
    assert await client.is_closed()


async def test_application_stops_waiting_for_a_rejected_body(running: RunningServer) -> None:
    client = await running.half_sent(CHUNKED)
    client.send(b"no number\r\n")
    assert await client.rejection() == (400, "bad_request")
    await until(lambda: not running.server.server_state.tasks)
    assert running.connections


async def test_rejected_request_is_closed_though_its_body_is_not_read(
    running: RunningServer,
) -> None:
    client = await running.half_sent(CHUNKED.replace(b"/length", b"/late"))
    [connection] = running.connections
    connection.data_received(b"20000\r\n" + 2 * LONG + b"\r\nno number\r\n")
    assert await client.rejection() == (400, "bad_request")
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


async def test_begun_response_is_cut_by_a_malformed_body(running: RunningServer) -> None:
    client = await running.connect(CHUNKED.replace(b"/length", b"/stream"))
    await client.reader.readuntil(b"part\r\n")
    client.send(b"no number\r\n")
    await until(lambda: running.connections[0].rejected)
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


async def test_headers_extensions_and_trailers_have_the_limit_each(running: RunningServer) -> None:
    most = LONG[: MAX_HEAD_BYTES * 2 // 3]
    client = await running.half_sent(CHUNKED.removesuffix(b"\r\n"), b"X: ", most)
    [connection] = running.connections
    connection.data_received(b"\r\n\r\n")
    connection.data_received(b"1;" + most)
    connection.data_received(b"\r\nx\r\n0\r\nX: " + most + b"\r\n\r\n")
    connection.data_received(GET + b"X: " + most)
    connection.data_received(b"\r\n\r\n")
    assert [(await client.response())[0] for _ in range(2)] == [200, 200]


async def test_body_does_not_count_as_headers(running: RunningServer) -> None:
    client = await running.connect(POST, b"Content-Length: %d\r\n\r\n" % len(LONG), LONG)
    status, _, body = await client.response()
    assert (status, int(body)) == (200, len(LONG))


async def test_trailer_is_no_header(running: RunningServer) -> None:
    request = GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: ::1\r\n\r\n"
    client = await running.connect(request)
    _, _, body = await client.response()
    assert json.loads(body) == ["host", "transfer-encoding"]


@pytest.mark.parametrize(
    "part",
    [
        GET,
        POST + b"Content-Length: 2\r\n\r\nx",
        # Earns more seconds than the limit.
        POST + b"Content-Length: 50000\r\n\r\n" + b"x" * 40_000,
    ],
    ids=["headers", "body", "large body"],
)
async def test_half_sent_request_times_out(running: RunningServer, part: bytes) -> None:
    client = await running.half_sent(part)
    running.pass_seconds(RECEIVE_SECONDS)
    assert running.connections
    running.pass_seconds(1)
    assert await client.rejection() == (408, "request_timeout")
    assert await client.is_closed()


async def test_body_has_the_same_time_after_slow_headers(running: RunningServer) -> None:
    client = await running.half_sent(POST)
    running.pass_seconds(RECEIVE_SECONDS)
    client.send(b"Content-Length: 1\r\n\r\n")
    await until(lambda: running.connections[0].receiving_body)
    running.pass_seconds(RECEIVE_SECONDS)
    client.send(b"x")
    assert (await client.response())[0] == 200


async def test_silent_connection_is_closed_without_a_response(running: RunningServer) -> None:
    client = await running.connect()
    await until(lambda: len(running.connections) == 1)
    [connection] = running.connections
    running.pass_seconds(RECEIVE_SECONDS + 1)
    assert await client.is_closed()
    await until(lambda: not running.connections)
    assert connection.timer.cancelled()


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
    late = await running.connect(EARLY, b"Content-Length: 100000\r\n\r\n")
    assert (await late.response())[0] == 200
    [connection] = running.connections
    in_time = await running.connect(EARLY, b"Content-Length: 2\r\n\r\n")
    assert (await in_time.response())[0] == 200
    in_time.send(b"xx", GET, b"\r\n")
    assert (await in_time.response())[0] == 200
    connection.data_received(b"x" * 50_000)
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


async def test_client_that_reads_slowly_is_not_disconnected(running: RunningServer) -> None:
    client = await running.connect(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await client.reader.readuntil(b"\r\n\r\n")
    running.pass_seconds(SEND_SECONDS)
    [connection] = running.connections
    while connection.transport.get_write_buffer_size() >= connection.unsent:
        assert await client.reader.read(100_000)
    running.pass_seconds(SEND_SECONDS)
    assert connection.transport.get_write_buffer_size() > 0


async def test_shutdown_waits_neither_for_half_sent_bodies_nor_for_rejected_clients() -> None:
    async with running_server() as running:
        rejected = await running.connect(CHUNKED, b"no number\r\n")
        assert await rejected.rejection() == (400, "bad_request")
        client = await running.half_sent(POST, b"Content-Length: 2\r\n\r\nx")
        later = await running.half_sent(CHUNKED)
        running.server.should_exit = True
        await until(lambda: running.connections[0].max_seconds_left == SHUTDOWN_RECEIVE_SECONDS)
        later.send(b"no number\r\n")
        assert await later.rejection() == (400, "bad_request")
        connections = running.connections
        running.pass_seconds(SHUTDOWN_RECEIVE_SECONDS + 1)
        assert [each.transport.is_closing() for each in connections] == [True, True, True]
        assert await client.rejection() == (408, "request_timeout")


@pytest.mark.parametrize(
    "request_", [WAIT, POST + b"Content-Length: 2\r\n\r\nx"], ids=["waiting", "half-sent"]
)
async def test_cancelled_request_gets_a_problem_and_no_traceback(
    running: RunningServer, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.connect(request_)
    await until(lambda: bool(running.server.server_state.tasks))
    running.cancel_requests()
    assert await client.rejection() == (503, "ending")
    assert await client.is_closed()
    assert "Traceback" not in caplog.text


async def test_cancelled_stream_is_cut_without_a_traceback(
    running: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.connect(b"GET /stream HTTP/1.1\r\n", HOST, b"\r\n")
    await client.reader.readuntil(b"part\r\n")
    running.cancel_requests()
    assert await client.is_closed()
    await until(lambda: not running.server.server_state.tasks)
    assert "Traceback" not in caplog.text
    assert "ASGI callable returned" not in caplog.text


async def test_cancelled_background_task_leaves_no_traceback(
    running: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.connect(b"GET /wait-later HTTP/1.1\r\n", HOST, b"\r\n")
    assert (await client.response())[0] == 200
    running.cancel_requests()
    await until(lambda: not running.server.server_state.tasks)
    assert "Traceback" not in caplog.text


async def test_new_connection_replaces_one_that_waits_for_its_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    monkeypatch.setattr(http_protocol, "LINGER_SECONDS", inf)
    async with running_server(max_connections=2) as running:
        silent = await running.connect()
        await until(lambda: len(running.connections) == 1)
        running.pass_seconds(1)
        silent_later = await running.connect()
        await until(lambda: len(running.connections) == 2)
        busy = []
        for replaced in (silent, silent_later):
            busy.append(await running.connect(WAIT))
            assert await replaced.is_closed()
            await until(lambda: len(running.server.server_state.tasks) == len(busy))
        for _ in range(2):
            refused = await running.connect()
            assert await refused.rejection() == (503, "busy")
            assert await refused.is_closed()
        running.released.set()
        for client in busy:
            assert (await client.response())[0] == 200
    assert caplog.text.count("Reached the limit of 2 connections") == 1


async def test_client_that_does_not_read_is_replaced_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=1) as running:
        await running.connect(b"GET /endless HTTP/1.1\r\n", HOST, b"\r\n")
        await until(lambda: any(each.flow.write_paused for each in running.connections))
        [connection] = running.connections
        running.pass_seconds(1)
        client = await running.connect(GET, b"\r\n")
        assert (await client.response())[0] == 200
        assert connection.transport.get_write_buffer_size() == 0


async def test_connections_that_arrive_at_once_replace_one_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=2) as running:
        silent = [await running.connect() for _ in range(2)]
        await until(lambda: len(running.connections) == 2)
        running.pass_seconds(1)
        await asyncio.gather(running.connect(), running.connect())
        assert [await client.is_closed() for client in silent] == [True, True]


async def test_websockets_are_neither_replaced_nor_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=1) as running:
        websocket = await running.connect()
        await until(lambda: len(running.connections) == 1)
        [connection] = running.connections
        websocket.send(b"GET /websocket HTTP/1.1\r\n", HOST, UPGRADE, HANDSHAKE)
        assert b" 101 " in await websocket.reader.readuntil(b"\r\n\r\n")
        assert connection.timer.cancelled()
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
    running: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.connect(WAIT, b"malformed\r\n")
    await until(lambda: bool(running.server.server_state.tasks))
    client.send(b"malformed\r\n")
    other = await running.connect(GET, b"\r\n")
    assert (await other.response())[0] == 200
    running.released.set()
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()
    assert caplog.text.count(INVALID) == 1


async def test_malformed_body_does_not_take_the_response_of_the_request_before(
    running: RunningServer,
) -> None:
    client = await running.connect(WAIT, CHUNKED, b"no number\r\n")
    await until(lambda: bool(running.server.server_state.tasks))
    running.released.set()
    assert (await client.response())[0] == 200
    running.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        (b"/fail", 500, b"text/plain"),  # Starlette's own
        (b"/fail-later", 200, b"application/json"),
        (b"/cancelled", 500, b"application/problem+json"),
    ],
)
async def test_connection_is_usable_after_an_error(
    running: RunningServer,
    path: bytes,
    status: int,
    kind: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = await running.connect(b"GET ", path, b" HTTP/1.1\r\n", HOST, b"\r\n")
    received, head, _ = await client.response()
    assert received == status
    assert b"content-type: " + kind in head
    await until(lambda: not running.server.server_state.tasks)
    assert caplog.text.count("Exception in ASGI application") == 1
    client.send(GET, b"\r\n")
    assert (await client.response())[0] == 200


async def test_response_in_place_of_100_closes_the_connection(running: RunningServer) -> None:
    client = await running.connect(EARLY, b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()


async def test_client_that_disconnects_leaves_no_traceback(
    running: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await running.half_sent(POST, b"Content-Length: 2\r\n\r\nx")
    client.writer.close()
    await until(lambda: not running.server.server_state.tasks)
    assert "Traceback" not in caplog.text
