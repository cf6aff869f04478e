"""Logging: each line has the ID of the request that it belongs to."""

import logging
from contextvars import ContextVar
from typing import Any

from starlette.types import Scope

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

# The ASGI scope of the current request; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)


def set_up_logging(level: str) -> None:
    """Log to standard error, from `level` upwards."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(add_request_id)
    handler.addFilter(is_no_false_alarm)
    logging.basicConfig(level=level, handlers=[handler])


def add_request_id(record: logging.LogRecord) -> bool:
    """Add the ID of the current request to a record; as a filter, it accepts all records."""
    scope = current_scope.get()
    record.request_id = scope["state"]["request_id"] if scope else "-"
    return True


def is_no_false_alarm(record: logging.LogRecord) -> bool:
    """Return whether to log a record.

    uvicorn 0.54 reports each error response to the handshake of a WebSocket as a bug of the
    application. Remove this filter when it no longer does:
    `test_error_response_to_a_handshake_is_no_alarm` is the contract.
    """
    scope = current_scope.get()
    answered = scope is not None and scope["state"].get("handshake_answered", False)
    return not answered or "without completing handshake" not in record.msg


def current_route() -> str:
    """Return the method and the path template of the current request."""
    scope = current_scope.get()
    if scope is None:
        return "no request"
    # FastAPI sets it, undocumented: `test_slow_statement_is_logged_with_duration_and_route` is the
    # contract.
    route: Any = scope.get("route")
    method = scope.get("method", "WebSocket")
    return f"{method} {route.path if route else scope['path']}"
