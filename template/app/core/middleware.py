"""Middleware: HEAD, request IDs, security headers, allowed hosts, CORS, body size limit."""

import logging
import re
from secrets import token_hex

from fastapi import HTTPException
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import problem
from app.core.logs import current_scope
from app.core.websockets import WebSocketMiddleware
from app.settings import Environment, Settings

logger = logging.getLogger(__name__)

# The messages with the headers of a response.
RESPONSE_STARTS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
PORT = re.compile(r":\d+$")

# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
SECURITY_HEADERS = {
    b"content-security-policy": b"frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


def add_middleware(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Wrap the application; the outermost middleware is added last."""
    app = BodySizeLimitMiddleware(app, settings.max_body_bytes)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "X-Request-ID"],
            expose_headers=["ETag", "Retry-After", "X-Request-ID"],
        )
    if (
        settings.environment is Environment.PRODUCTION
        and "allowed_hosts" not in settings.model_fields_set
    ):
        logger.warning(
            "ALLOWED_HOSTS is not set: requests for any host but localhost get a 421 response."
            " Set it to the host names of this service."
        )
    app = AllowedHostsMiddleware(app, settings.allowed_hosts)
    app = WebSocketMiddleware(app, settings.cors_origins)
    app = RequestIdMiddleware(app)
    return HeadMiddleware(app)


def header_of(scope: Scope, name: bytes) -> str:
    """Return a header of the request by its name in lower case, or "".

    Starlette's `Headers` takes four times as long.
    """
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


class HeadMiddleware:
    """Handles HEAD like GET, and omits the body of the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "HEAD":
            # A copy, because the server needs the original method.
            scope, send = {**scope, "method": "GET"}, without_body(send)
        await self.app(scope, receive, send)


def without_body(send: Send) -> Send:
    """Return a `send` that ends the response after its headers."""
    ended = False

    async def send_headers(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body"})

    return send_headers


class RequestIdMiddleware:
    """Adds a request ID to each request, and the ID and the security headers to each response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            sent = header_of(scope, b"x-request-id")
            request_id = sent if REQUEST_ID.fullmatch(sent) else token_hex(16)
            scope.setdefault("state", {})["request_id"] = request_id
            # Never reset: the server logs an unhandled error later, in the same task.
            current_scope.set(scope)
            send = with_headers(send, {**SECURITY_HEADERS, b"x-request-id": request_id.encode()})
        await self.app(scope, receive, send)


def with_headers(send: Send, added: dict[bytes, bytes]) -> Send:
    """Return a `send` that adds headers, unless the application has set them."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] in RESPONSE_STARTS:
            headers = message.get("headers", [])
            own = {name for name, _ in headers}
            others = [(name, value) for name, value in added.items() if name not in own]
            message["headers"] = [*headers, *others]
        await send(message)

    return send_with_headers


class AllowedHostsMiddleware:
    """Rejects requests for unknown hosts, which could poison links and caches.

    Health checks are exempt: probes use an IP address as the host.
    """

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}
        # "*.example.org" allows every host that ends with ".example.org".
        self.domains = tuple(host[1:] for host in self.hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not self._is_allowed(scope):
            host = header_of(scope, b"host")
            logger.info("Rejected a request for the host %.255r: not in ALLOWED_HOSTS", host)
            response = problem(421, "Host not allowed.", "unknown_host")
            await response(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        name = PORT.sub("", header_of(scope, b"host")).lower()
        if name in self.hosts or name.endswith(self.domains) or "*" in self.hosts:
            return True
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return path.startswith("/health/")


class BodySizeLimitMiddleware:
    """Rejects request bodies over `limit` bytes, whatever their Content-Length is."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if received == 0:
                # Before `receive`, which makes the server send 100 Continue.
                self._check(int(header_of(scope, b"content-length") or 0))
            message = await receive()
            received += len(message.get("body", b""))
            self._check(received)
            return message

        await self.app(scope, receive_limited, send)

    def _check(self, size: int) -> None:
        if size > self.limit:
            raise HTTPException(413, f"The request body is larger than {self.limit} bytes.")
