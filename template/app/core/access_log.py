"""Access log: a line for each request at its end, with its route, status and duration."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import is_cancelled
from app.core.logs import MAX_PATH, current_scope, method_of, route_of, shorten

logger = logging.getLogger(__name__)


class AccessLogMiddleware:
    """Logs each request when its response is complete, and each WebSocket when it is closed.

    The status of a WebSocket that was accepted is 101. The status 499 means that the client closed
    the connection before the response began.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not logger.isEnabledFor(logging.INFO):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            access = Access(scope, send)
            try:
                await self.app(scope, receive, access.send)
            finally:
                access.end()
        else:
            websocket = WebSocketAccess(scope, receive, send)
            try:
                await self.app(scope, websocket.receive, websocket.send)
            finally:
                websocket.end()


class Access:
    """A request that is logged once."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.began = perf_counter()
        self.scope = scope
        self.state = scope.setdefault("state", {})
        self.server_send = send
        self.status: int | None = None
        self.logged = False

    async def send(self, message: Message) -> None:
        """Send a part of the response, and log the request after the last one."""
        if message["type"] == "http.response.start":
            self.status = self.state.get("ended_with") or message["status"]
        await self.server_send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.log()

    def end(self) -> None:
        """Log the request if its response is not complete."""
        if not self.logged and self.status is not None:
            self.log(", incomplete")
        elif not self.logged:
            # `HttpProtocol` responds.
            self.status = self.state.get("ended_with") or (503 if is_cancelled() else 500)
            self.log()

    def log(self, outcome: str = "") -> None:
        self.logged = True
        duration = round(perf_counter() - self.began, 4)
        method, path = method_of(self.scope), shorten(self.scope["path"], MAX_PATH)
        client = (self.scope.get("client") or ["-"])[0]
        fields = {"method": method, "status": self.status, "duration": duration}
        level = logging.DEBUG if self.is_health_check() else logging.INFO
        logger.log(level, "%s %s from %s%s", method, path, client, outcome, extra=fields)

    def is_health_check(self) -> bool:
        """Return whether this is a health check that found nothing: there are many a minute."""
        scope = current_scope.get() or self.scope
        return (route_of(scope) or "").startswith("/health/") and self.status == 200


class WebSocketAccess(Access):
    """A WebSocket that is logged once."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, send)
        self.server_receive = receive
        self.close_code: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "websocket.accept":
            self.status = 101
        elif message["type"] == "websocket.http.response.start":
            self.status = message["status"]
        elif message["type"] == "websocket.close":
            self.status = self.status or 403
            self.close_code = message.get("code", 1000)
        await self.server_send(message)

    async def receive(self) -> Message:
        message = await self.server_receive()
        if message["type"] == "websocket.disconnect" and self.close_code is None:
            self.close_code = message.get("code", 1005)
        return message

    def end(self) -> None:
        closed = self.status == 101 and self.close_code is not None
        self.log(f", closed with {self.close_code}" if closed else "")
