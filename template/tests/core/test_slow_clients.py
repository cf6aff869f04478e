"""The HTTP protocol: limits of time and of connections."""

import asyncio
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
async def test_half_sent_request_times_out(raw_server: RunningServer, part: bytes) -> None:
    client = await raw_server.half_sent(part)
    raw_server.pass_seconds(RECEIVE_SECONDS)
    assert raw_server.connections
    raw_server.pass_seconds(1)
    assert await client.rejection() == (408, "request_timeout")
    assert await client.is_closed()


async def test_body_has_the_same_time_after_slow_headers(raw_server: RunningServer) -> None:
    client = await raw_server.half_sent(POST)
    raw_server.pass_seconds(RECEIVE_SECONDS)
    client.send(b"Content-Length: 1\r\n\r\n")
    await until(lambda: raw_server.connections[0].receiving_body)
    raw_server.pass_seconds(RECEIVE_SECONDS)
    client.send(b"x")
    assert (await client.response())[0] == 200


async def test_silent_connection_is_closed_without_a_response(raw_server: RunningServer) -> None:
    client = await raw_server.connect()
    await until(lambda: len(raw_server.connections) == 1)
    [connection] = raw_server.connections
    raw_server.pass_seconds(RECEIVE_SECONDS + 1)
    assert await client.is_closed()
    await until(lambda: not raw_server.connections)
    assert connection.timer.cancelled()


async def test_upload_that_makes_progress_is_not_cut(raw_server: RunningServer) -> None:
    size = MIN_BYTES_PER_SECOND * RECEIVE_SECONDS * 3
    client = await raw_server.half_sent(POST, b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(RECEIVE_SECONDS * 3):
        client.send(b"x" * MIN_BYTES_PER_SECOND)
        await raw_server.received.get()
        raw_server.pass_seconds(1)
    assert (await client.response())[0] == 200


@pytest.mark.parametrize(
    "request_",
    [WAIT, POST.replace(b"/length", b"/late") + b"Content-Length: 300000\r\n\r\n" + 5 * LONG],
    ids=["before the response", "before the body is read"],
)
async def test_time_of_the_application_does_not_count(
    raw_server: RunningServer, request_: bytes
) -> None:
    client = await raw_server.connect(request_)
    await until(lambda: bool(raw_server.server.server_state.tasks))
    raw_server.pass_seconds(2 * RECEIVE_SECONDS)
    raw_server.released.set()
    assert (await client.response())[0] == 200


async def test_rest_of_a_request_after_the_response_is_awaited_briefly(
    raw_server: RunningServer,
) -> None:
    late = await raw_server.connect(EARLY, b"Content-Length: 100000\r\n\r\n")
    assert (await late.response())[0] == 200
    [connection] = raw_server.connections
    in_time = await raw_server.connect(EARLY, b"Content-Length: 2\r\n\r\n")
    assert (await in_time.response())[0] == 200
    in_time.send(b"xx", GET, b"\r\n")
    assert (await in_time.response())[0] == 200
    connection.data_received(b"x" * 50_000)
    raw_server.pass_seconds(LINGER_SECONDS + 1)
    assert await late.is_closed()
    in_time.send(GET, b"\r\n")
    assert (await in_time.response())[0] == 200


async def test_client_that_does_not_read_is_disconnected(raw_server: RunningServer) -> None:
    before = raw_server.server.server_state.total_requests
    client = await raw_server.connect(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await until(lambda: raw_server.server.server_state.total_requests > before)
    raw_server.pass_seconds(SEND_SECONDS)
    assert raw_server.connections
    raw_server.pass_seconds(1)
    await until(lambda: not raw_server.connections)
    with pytest.raises(asyncio.IncompleteReadError):
        await client.response()


async def test_client_that_reads_slowly_is_not_disconnected(raw_server: RunningServer) -> None:
    client = await raw_server.connect(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await client.reader.readuntil(b"\r\n\r\n")
    raw_server.pass_seconds(SEND_SECONDS)
    [connection] = raw_server.connections
    while connection.transport.get_write_buffer_size() >= connection.unsent:
        assert await client.reader.read(100_000)
    raw_server.pass_seconds(SEND_SECONDS)
    assert connection.transport.get_write_buffer_size() > 0


async def test_shutdown_waits_neither_for_half_sent_bodies_nor_for_rejected_clients() -> None:
    async with running_server() as raw_server:
        rejected = await raw_server.connect(CHUNKED, b"no number\r\n")
        assert await rejected.rejection() == (400, "bad_request")
        client = await raw_server.half_sent(POST, b"Content-Length: 2\r\n\r\nx")
        later = await raw_server.half_sent(CHUNKED)
        raw_server.server.should_exit = True
        await until(lambda: raw_server.connections[0].max_seconds_left == SHUTDOWN_RECEIVE_SECONDS)
        later.send(b"no number\r\n")
        assert await later.rejection() == (400, "bad_request")
        connections = raw_server.connections
        raw_server.pass_seconds(SHUTDOWN_RECEIVE_SECONDS + 1)
        assert [each.transport.is_closing() for each in connections] == [True, True, True]
        assert await client.rejection() == (408, "request_timeout")


async def test_new_connection_replaces_one_that_waits_for_its_client(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    monkeypatch.setattr(http_protocol, "LINGER_SECONDS", inf)
    async with running_server(max_connections=2) as raw_server:
        silent = await raw_server.connect()
        await until(lambda: len(raw_server.connections) == 1)
        raw_server.pass_seconds(1)
        silent_later = await raw_server.connect()
        await until(lambda: len(raw_server.connections) == 2)
        busy = []
        for replaced in (silent, silent_later):
            busy.append(await raw_server.connect(WAIT))
            assert await replaced.is_closed()
            await until(lambda: len(raw_server.server.server_state.tasks) == len(busy))
        for _ in range(2):
            refused = await raw_server.connect()
            assert await refused.rejection() == (503, "busy")
            assert await refused.is_closed()
        raw_server.released.set()
        for client in busy:
            assert (await client.response())[0] == 200
    assert caplog.text.count("Reached the limit of 2 connections") == 1


async def test_client_that_does_not_read_is_replaced_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=1) as raw_server:
        await raw_server.connect(b"GET /endless HTTP/1.1\r\n", HOST, b"\r\n")
        await until(lambda: any(each.flow.write_paused for each in raw_server.connections))
        [connection] = raw_server.connections
        raw_server.pass_seconds(1)
        client = await raw_server.connect(GET, b"\r\n")
        assert (await client.response())[0] == 200
        assert connection.transport.get_write_buffer_size() == 0


async def test_connections_that_arrive_at_once_replace_one_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=2) as raw_server:
        silent = [await raw_server.connect() for _ in range(2)]
        await until(lambda: len(raw_server.connections) == 2)
        raw_server.pass_seconds(1)
        await asyncio.gather(raw_server.connect(), raw_server.connect())
        assert [await client.is_closed() for client in silent] == [True, True]


async def test_websockets_are_neither_replaced_nor_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HttpProtocol, "warned_at", HttpProtocol.warned_at)
    async with running_server(max_connections=1) as raw_server:
        websocket = await raw_server.connect()
        await until(lambda: len(raw_server.connections) == 1)
        [connection] = raw_server.connections
        websocket.send(b"GET /websocket HTTP/1.1\r\n", HOST, UPGRADE, HANDSHAKE)
        assert b" 101 " in await websocket.reader.readuntil(b"\r\n\r\n")
        assert connection.timer.cancelled()
        refused = await raw_server.connect()
        assert await refused.rejection() == (503, "busy")
