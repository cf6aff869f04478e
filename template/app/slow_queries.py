"""Slow statements in the log: how long, on whose behalf, and which."""

import logging
from contextvars import ContextVar
from time import monotonic
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

# The request that is being served; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)


class CurrentScope:
    """Middleware that remembers the request, so that the log can name its route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = current_scope.set(scope)
        try:
            await self.app(scope, receive, send)
        finally:
            current_scope.reset(token)


def log_slow_queries(engine: AsyncEngine, threshold: float) -> None:
    """Log each statement that takes `threshold` seconds or longer; 0 logs none.

    Without its parameters, which may be passwords or tokens.
    """
    if not threshold:
        return

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def start(connection: Connection, *_: object) -> None:
        connection.info["statement_began"] = monotonic()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def stop(connection: Connection, _: object, statement: str, *__: object) -> None:
        seconds = monotonic() - connection.info.pop("statement_began")
        if seconds >= threshold:
            logger.warning("%.3f s in %s: %s", seconds, _route(), " ".join(statement.split()))


def _route() -> str:
    scope = current_scope.get()
    if scope is None:
        return "no request"
    route: Any = scope.get("route")
    return f"{scope['method']} {route.path if route else scope['path']}"
