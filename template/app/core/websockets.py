"""WebSockets: allowed origins, and errors as responses or close frames."""

import asyncio
import json
import logging
from collections.abc import Iterable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.core.errors import internal_server_error, is_cancelled, problem, reason_phrase
from app.core.logs import current_route

logger = logging.getLogger(__name__)


class WebSocketMiddleware:
    """Rejects WebSockets from pages of other origins, and sends errors to their clients.

    CORS does not cover WebSockets: without this, any page could open one with the credentials of
    its visitor. An error is a response before the WebSocket is accepted, then a close frame.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self.app = app
        self.origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        send = errors_as_close_frames(scope, send)
        if not self._is_allowed(Headers(scope=scope)):
            await problem(403, "Origin not allowed.", "unknown_origin")(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except WebSocketDisconnect:
            pass  # the access log has the code
        except (Exception, asyncio.CancelledError):
            if is_cancelled():
                return  # by a shutdown, of which uvicorn has told the client
            with suppress(OSError):  # the client has left
                await internal_server_error()(scope, receive, send)
            raise  # the server logs the traceback

    def _is_allowed(self, headers: Headers) -> bool:
        origin = headers.get("Origin", "").lower()  # only browsers send it
        same = origin.partition("://")[2] == headers.get("Host", "").lower()
        return not origin or same or origin in self.origins or "*" in self.origins


def errors_as_close_frames(scope: Scope, send: Send) -> Send:
    """Return a `send` that turns a response into a close frame where no response can be sent."""
    # https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
    responds = "websocket.http.response" in scope.get("extensions", {})
    closed = False
    status = 0

    async def send_or_close(message: Message) -> None:
        nonlocal responds, closed, status
        if message["type"] == "websocket.accept":
            responds = False
        elif message["type"] == "websocket.close":
            responds, closed = False, True
        elif message["type"] == "websocket.http.response.start" and not responds:
            status = message["status"]
            return
        elif message["type"] == "websocket.http.response.start":
            scope.setdefault("state", {})["handshake_answered"] = True
        elif message["type"] == "websocket.http.response.body" and not responds:
            if closed:
                return
            closed = True
            message = close_frame(status, message["body"])
            logger.info("%s closed: %d %s", current_route(), message["code"], message["reason"])
        await send(message)

    return send_or_close


def close_frame(status: int, body: bytes) -> Message:
    """Return the close frame of an error response: its reason is the `code` of the error.

    1008 is an error of the client, 1011 one of the service, and 1013 means "try again later".
    """
    code = 1013 if status == 503 else 1011 if status >= 500 else 1008
    try:
        reason = str(json.loads(body)["code"])
    except (KeyError, TypeError, ValueError):  # not a `Problem`
        reason = reason_phrase(status)
    return {"type": "websocket.close", "code": code, "reason": reason}
