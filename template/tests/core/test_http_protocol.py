"""The HTTP protocol: limits of size, malformed requests, errors and cancelled requests."""

import json
import logging

import pytest

from app.core.http_protocol import LINGER_SECONDS, MAX_HEAD_BYTES, MAX_PIPELINED
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
)
from tests.core.support import until

INVALID = "Invalid HTTP request received."  # logged once for each piece that is parsed
MANY = b"".join(b"X-%d: x\r\n" % number for number in range(10_000))


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
    raw_server: RunningServer,
    request_: bytes,
    rejection: tuple[int, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client = await raw_server.connect(request_)
    assert await client.rejection() == rejection
    statuses = [vars(record).get("status") for record in caplog.records]
    # The access log has requests that the application has begun to handle.
    assert (rejection[0] in statuses) is not request_.startswith(CHUNKED)
    await until(lambda: not raw_server.server.server_state.tasks)
    # What follows is discarded, until the client has had time to read the response.
    parsed = caplog.text.count(INVALID)
    client.send(GET, b"\r\n")
    other = await raw_server.connect(GET, b"\r\n")
    assert (await other.response())[0] == 200
    assert caplog.text.count(INVALID) == parsed
    assert len(raw_server.connections) == 2
    raw_server.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


@pytest.mark.parametrize(
    "request_",
    # `websockets` accepts 128 headers, and no body.
    [GET + UPGRADE + b"X: x\r\n" * 200 + b"\r\n", POST + UPGRADE + b"Content-Length: 1\r\n\r\nx"],
    ids=["headers", "body"],
)
async def test_malformed_handshake_is_rejected(raw_server: RunningServer, request_: bytes) -> None:
    client = await raw_server.connect(request_)
    assert await client.rejection() == (400, "bad_request")
    assert await client.is_closed()


async def test_application_stops_waiting_for_a_rejected_body(raw_server: RunningServer) -> None:
    client = await raw_server.half_sent(CHUNKED)
    client.send(b"no number\r\n")
    assert await client.rejection() == (400, "bad_request")
    await until(lambda: not raw_server.server.server_state.tasks)
    assert raw_server.connections


async def test_rejected_request_is_closed_though_its_body_is_not_read(
    raw_server: RunningServer,
) -> None:
    client = await raw_server.half_sent(CHUNKED.replace(b"/length", b"/late"))
    [connection] = raw_server.connections
    connection.data_received(b"20000\r\n" + 2 * LONG + b"\r\nno number\r\n")
    assert await client.rejection() == (400, "bad_request")
    raw_server.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


async def test_begun_response_is_cut_by_a_malformed_body(raw_server: RunningServer) -> None:
    client = await raw_server.connect(CHUNKED.replace(b"/length", b"/stream"))
    await client.reader.readuntil(b"part\r\n")
    client.send(b"no number\r\n")
    await until(lambda: raw_server.connections[0].rejected)
    raw_server.pass_seconds(LINGER_SECONDS + 1)
    assert await client.is_closed()


async def test_headers_extensions_and_trailers_have_the_limit_each(
    raw_server: RunningServer,
) -> None:
    most = LONG[: MAX_HEAD_BYTES * 2 // 3]
    client = await raw_server.half_sent(CHUNKED.removesuffix(b"\r\n"), b"X: ", most)
    [connection] = raw_server.connections
    connection.data_received(b"\r\n\r\n")
    connection.data_received(b"1;" + most)
    connection.data_received(b"\r\nx\r\n0\r\n")
    connection.data_received(b"X: " + most + b"\r\n\r\n")
    connection.data_received(GET + b"X: " + most)
    connection.data_received(b"\r\n\r\n")
    assert [(await client.response())[0] for _ in range(2)] == [200, 200]


async def test_body_does_not_count_as_headers(raw_server: RunningServer) -> None:
    client = await raw_server.connect(POST, b"Content-Length: %d\r\n\r\n" % len(LONG), LONG)
    status, _, body = await client.response()
    assert (status, int(body)) == (200, len(LONG))


async def test_trailer_is_no_header(raw_server: RunningServer) -> None:
    request = GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: ::1\r\n\r\n"
    client = await raw_server.connect(request)
    _, _, body = await client.response()
    assert json.loads(body) == ["host", "transfer-encoding"]


@pytest.mark.parametrize(
    "request_", [WAIT, POST + b"Content-Length: 2\r\n\r\nx"], ids=["waiting", "half-sent"]
)
async def test_cancelled_request_gets_a_problem_and_no_traceback(
    raw_server: RunningServer, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await raw_server.connect(request_)
    await until(lambda: bool(raw_server.server.server_state.tasks))
    raw_server.cancel_requests()
    assert await client.rejection() == (503, "ending")
    assert await client.is_closed()
    assert "Traceback" not in caplog.text


async def test_cancelled_stream_is_cut_without_a_traceback(
    raw_server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await raw_server.connect(b"GET /stream HTTP/1.1\r\n", HOST, b"\r\n")
    await client.reader.readuntil(b"part\r\n")
    raw_server.cancel_requests()
    assert await client.is_closed()
    await until(lambda: not raw_server.server.server_state.tasks)
    assert "Traceback" not in caplog.text
    assert "ASGI callable returned" not in caplog.text


async def test_cancelled_background_task_leaves_no_traceback(
    raw_server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await raw_server.connect(b"GET /wait-later HTTP/1.1\r\n", HOST, b"\r\n")
    assert (await client.response())[0] == 200
    raw_server.cancel_requests()
    await until(lambda: not raw_server.server.server_state.tasks)
    assert "Traceback" not in caplog.text


async def test_pipelined_requests_are_limited(raw_server: RunningServer) -> None:
    client = await raw_server.connect(WAIT * 2 * MAX_PIPELINED)
    await until(lambda: bool(raw_server.server.server_state.tasks))
    raw_server.released.set()
    responses = [await client.response() for _ in range(MAX_PIPELINED + 1)]
    assert all(status == 200 for status, _, _ in responses)
    assert b"connection: close" in responses[-1][1]
    assert await client.is_closed()


async def test_malformed_request_does_not_take_the_response_of_the_one_before(
    raw_server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await raw_server.connect(WAIT, b"malformed\r\n")
    await until(lambda: bool(raw_server.server.server_state.tasks))
    client.send(b"malformed\r\n")
    other = await raw_server.connect(GET, b"\r\n")
    assert (await other.response())[0] == 200
    raw_server.released.set()
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()
    assert caplog.text.count(INVALID) == 1


async def test_malformed_body_does_not_take_the_response_of_the_request_before(
    raw_server: RunningServer,
) -> None:
    client = await raw_server.connect(WAIT, CHUNKED, b"no number\r\n")
    await until(lambda: bool(raw_server.server.server_state.tasks))
    raw_server.released.set()
    assert (await client.response())[0] == 200
    raw_server.pass_seconds(LINGER_SECONDS + 1)
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
    raw_server: RunningServer,
    path: bytes,
    status: int,
    kind: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = await raw_server.connect(b"GET ", path, b" HTTP/1.1\r\n", HOST, b"\r\n")
    received, head, _ = await client.response()
    assert received == status
    assert b"content-type: " + kind in head
    await until(lambda: not raw_server.server.server_state.tasks)
    assert caplog.text.count("Exception in ASGI application") == 1
    client.send(GET, b"\r\n")
    assert (await client.response())[0] == 200


async def test_response_in_place_of_100_closes_the_connection(raw_server: RunningServer) -> None:
    client = await raw_server.connect(EARLY, b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    status, head, _ = await client.response()
    assert status == 200
    assert b"connection: close" in head
    assert await client.is_closed()


async def test_client_that_disconnects_leaves_no_traceback(
    raw_server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = await raw_server.half_sent(POST, b"Content-Length: 2\r\n\r\nx")
    client.writer.close()
    await until(lambda: not raw_server.server.server_state.tasks)
    assert "Traceback" not in caplog.text
