"""The HTTP protocol: limits of time and of connections."""

import asyncio
from collections.abc import AsyncIterator
from math import inf

import pytest

from app.core import http_protocol
from app.core.http_protocol import (
    LINGER_SECONDS,
    MIN_BYTES_PER_SECOND,
    RECEIVE_SECONDS,
    SEND_SECONDS,
    SHUTDOWN_RECEIVE_SECONDS,
    HttpProtocol,
)
from tests.core.raw_server import (
    CHUNKED,
    EARLY,
    GET,
    HOST,
    LONG,
    POST,
    UPGRADE,
    WAIT,
    RunningServer,
    running_server,
)
from tests.core.support import until

HANDSHAKE = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[RunningServer]:
    async with running_server() as running:
        yield running


@pytest.fixture
async def running(shared: RunningServer) -> AsyncIterator[RunningServer]:
    """The shared server, without connections of other tests."""
    async with shared.reused() as running:
        yield running


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
