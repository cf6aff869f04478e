"""Slow statements in the log: how long, on whose behalf, and which."""

import logging
from contextvars import ContextVar
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

# The request that is being served; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)


class CurrentScope:
    """Middleware that remembers the request, so that the log can name its route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The start and the end of the process come this way too.
        token = current_scope.set(scope if scope["type"] == "http" else None)
        try:
            await self.app(scope, receive, send)
        finally:
            current_scope.reset(token)


def log_slow_queries(engine: Engine, threshold: float) -> None:
    """Log each statement that takes `threshold` seconds or longer, also in vain; 0 logs none.

    Without its parameters, which may be passwords or tokens.
    """
    if not threshold:
        return

    def log(context: Any, outcome: str) -> None:
        seconds = monotonic() - context.began
        if seconds >= threshold:
            statement = " ".join(context.statement.split())
            logger.warning("%.3f s%s in %s: %s", seconds, outcome, _route(), statement)

    @event.listens_for(engine, "before_cursor_execute")
    def start(*arguments: Any) -> None:
        context = arguments[4]
        context.began = monotonic()

    @event.listens_for(engine, "after_cursor_execute")
    def stop(*arguments: Any) -> None:
        log(arguments[4], "")

    @event.listens_for(engine, "handle_error")
    def fail(error: ExceptionContext) -> None:
        if hasattr(error.execution_context, "began"):
            log(error.execution_context, " without success")


def _route() -> str:
    scope = current_scope.get()
    if scope is None:
        return "no request"
    route: Any = scope.get("route")
    return f"{scope['method']} {route.path if route else scope['path']}"
