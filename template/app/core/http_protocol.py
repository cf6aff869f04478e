"""uvicorn's HTTP/1.1 protocol with limits of sizes, times and connections."""

import asyncio
import logging
from math import inf
from typing import Any

from fastapi import Response
from httptools import HttpParserError
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from app.core.errors import internal_server_error, is_cancelled, problem
from app.core.health import ShuttingDown
from app.core.middleware import with_headers

logger = logging.getLogger(__name__)

# The limit of the request line and headers together, of trailers, and of chunk extensions.
MAX_HEAD_BYTES = 65_536
MAX_PIPELINED = 100

# Seconds to send the URL and headers, then seconds to send the body. Each 500 bytes of the body add
# a second, up to this limit. As in Apache:
# https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
RECEIVE_SECONDS = 20
MIN_BYTES_PER_SECOND = 500
SHUTDOWN_RECEIVE_SECONDS = 1  # the same limit during a shutdown
# Seconds after which a client that reads nothing of its response is disconnected.
SEND_SECONDS = 60
# Seconds to keep reading a request after its response: closing the connection at once could cut off
# the response.
LINGER_SECONDS = 5

SECONDS_BETWEEN_WARNINGS = 60

# nginx's status for the log: the client closed the connection before the response.
CLIENT_CLOSED = 499

TOO_LARGE = f"The URL and the headers are larger than {MAX_HEAD_BYTES} bytes."
MALFORMED = problem(400, "The request is not valid HTTP.", "bad_request")
BAD_HANDSHAKE = problem(400, "The WebSocket handshake is malformed or too large.", "bad_request")
TIMED_OUT = problem(408, "The request took too long to arrive.", "request_timeout")
LONG_URL = problem(414, TOO_LARGE, "uri_too_long")
LARGE_HEADERS = problem(431, TOO_LARGE, "request_header_fields_too_large")
BUSY = problem(503, "Too many connections; retry.", "busy", headers={"Retry-After": "1"})
SHUTTING_DOWN = problem(503, ShuttingDown.detail, ShuttingDown.code, headers={"Retry-After": "1"})


class HttpProtocol(HttpToolsProtocol):
    """The connection of a client.

    Overrides undocumented methods: `tests/core/test_uvicorn.py` names them, and
    `test_http_protocol.py` and `test_slow_clients.py` are the contract.
    """

    warned_at = -inf

    # Seconds until the client times out; infinite while the application handles a request.
    seconds_left: float = RECEIVE_SECONDS
    max_seconds_left = RECEIVE_SECONDS
    # Bytes received since the last complete part of a request.
    unparsed = 0
    receiving_body = False
    rejected = False
    unsent = 0
    seconds_unread = 0

    @property
    def is_idle(self) -> bool:
        """Whether each request has its response."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def seconds_until_closed(self) -> float:
        """Seconds until the connection is closed if the client neither sends nor reads."""
        return SEND_SECONDS - self.seconds_unread if self.unsent else self.seconds_left

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.began = self.loop.time()
        self.timer = self.loop.call_later(1, self.count_second)
        limit = self.config.limit_concurrency
        # At its own limit, uvicorn accepts further connections, and responds to all with 503.
        self.limit_concurrency = None
        if limit is not None and len(self.connections) > limit:
            self.make_room(limit)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_idle:
            self.cycle.scope["state"].setdefault("ended_with", CLIENT_CLOSED)
        super().connection_lost(exc)
        self.timer.cancel()

    def make_room(self, limit: int) -> None:
        """Close the connection that would time out first; this one if none would."""
        cls = type(self)
        if self.loop.time() >= cls.warned_at + SECONDS_BETWEEN_WARNINGS:
            cls.warned_at = self.loop.time()
            logger.warning(
                "Reached the limit of %d connections: each new one replaces one whose client is"
                " idle or slow. Raise MAX_CONNECTIONS, and `ulimit -n` to at least twice as many.",
                limit,
            )
        waiting = [
            other
            for other in self.connections
            if isinstance(other, cls) and other is not self and other.seconds_until_closed < inf
        ]
        if waiting:
            closed = min(waiting, key=lambda other: other.seconds_until_closed)
            closed.transport.abort()
        else:
            closed = self
            self.reject(BUSY)
            self.transport.close()
        self.connections.discard(closed)

    def count_second(self) -> None:
        """Close the connection if the client has been too slow."""
        self.timer = self.loop.call_later(1, self.count_second)
        unsent = self.transport.get_write_buffer_size()
        self.seconds_unread = self.seconds_unread + 1 if unsent >= self.unsent > 0 else 0
        self.unsent = unsent
        if not self.flow.read_paused:
            self.seconds_left -= 1
        if self.seconds_unread >= SEND_SECONDS:
            self.transport.abort()
        elif self.seconds_left < 0:
            self.stop_waiting()

    def stop_waiting(self) -> None:
        if self.unparsed or self.receiving_body:
            self.reject(TIMED_OUT)
        self.transport.close()

    def shutdown(self) -> None:
        super().shutdown()
        self.max_seconds_left = SHUTDOWN_RECEIVE_SECONDS
        if self.receiving_body:
            self.seconds_left = min(self.seconds_left, self.max_seconds_left)

    def data_received(self, data: bytes) -> None:
        if self.rejected:
            return
        if self.unparsed == 0:
            self.began = self.loop.time()
        self.unparsed += len(data)
        super().data_received(data)
        if self.unparsed > MAX_HEAD_BYTES:
            self.reject_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer is ignored: it could set a header that only a proxy may set.
        if not self.receiving_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.unparsed > MAX_HEAD_BYTES:  # may include a part of the body
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD_BYTES:
                self.reject_head()
                raise HttpParserError
        if len(self.pipeline) >= MAX_PIPELINED:
            raise HttpParserError
        super().on_headers_complete()
        self.unparsed = 0
        self.receiving_body = True
        self.seconds_left = self.max_seconds_left
        if self.expect_100_continue and self.cycle is not None:
            # If the response is not 100, the client may or may not send the body.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self.unparsed = 0
        if not self.is_idle:
            earned = len(body) / MIN_BYTES_PER_SECOND
            self.seconds_left = min(self.seconds_left + earned, self.max_seconds_left)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.unparsed = 0
        self.receiving_body = False
        self.seconds_left = self.max_seconds_left if self.is_idle else inf

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_idle:
            self.seconds_left = LINGER_SECONDS if self.receiving_body else self.max_seconds_left

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        async def run(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except BaseException as error:
                await self.end_failed(cycle, error)

        super()._start_asgi_task(cycle, run)

    async def end_failed(self, cycle: RequestResponseCycle, error: BaseException) -> None:
        """End a request that failed, or that a shutdown cancelled.

        uvicorn would respond in plain text, log a traceback even of a cancellation, and close the
        connection after a complete response without `Connection: close`.
        """
        response = internal_server_error()
        if is_cancelled():
            response = SHUTTING_DOWN
            cycle.keep_alive = False
        elif not isinstance(error, ClientDisconnect):
            self.logger.error("Exception in ASGI application\n", exc_info=error)
        if not cycle.response_started:
            current: Any = cycle
            headers = cycle.scope["state"].get("response_headers", {})
            send = with_headers(current.send, headers)
            await response(current.scope, current.receive, send)
        elif not cycle.response_complete:
            cycle.disconnected = True
            self.transport.close()

    def handle_websocket_upgrade(self) -> None:
        self.timer.cancel()
        super().handle_websocket_upgrade()
        # `websockets` parses the handshake again, and does not respond if that fails.
        if not getattr(self.transport.get_protocol(), "handshake_initiated", True):
            self.reject(BAD_HANDSHAKE)
            self.transport.close()

    def send_400_response(self, _: str) -> None:
        self.reject(MALFORMED)

    def reject_head(self) -> None:
        self.reject(LONG_URL if len(self.url) > MAX_HEAD_BYTES / 2 else LARGE_HEADERS)

    def reject(self, response: Response) -> None:
        """Send this response to the request that is being received, and discard the rest."""
        if self.rejected:
            return
        in_progress = not self.is_idle
        if in_progress and not self.receiving_body:
            # The client would take it for the response to the request in progress.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self.rejected = True
        self.seconds_left = min(LINGER_SECONDS, self.max_seconds_left)
        self.flow.resume_reading()
        if in_progress:
            self.cycle.scope["state"]["ended_with"] = response.status_code
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            answered = self.cycle.response_started or len(self.pipeline) > 0
        else:
            answered = self.receiving_body
        if not answered:
            self.send_rejection(response)

    def send_rejection(self, response: Response) -> None:
        if self.is_idle:  # `AccessLogMiddleware` logs a request in progress
            client = self.client[0] if self.client else "-"
            duration = round(self.loop.time() - self.began, 4)
            fields = {"status": response.status_code, "duration": duration}
            logger.info("Rejected a request from %s", client, extra=fields)
        headers = [*self.server_state.default_headers, *response.raw_headers, CLOSE_HEADER]
        lines = [b"%b: %b\r\n" % header for header in headers]
        head = [STATUS_LINE[response.status_code], *lines, b"\r\n"]
        self.transport.write(b"".join([*head, response.body]))
