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
    logging.basicConfig(level=level, handlers=[handler])


def add_request_id(record: logging.LogRecord) -> bool:
    """Add the ID of the current request to a record; as a filter, it accepts all records."""
    scope = current_scope.get()
    record.request_id = scope["state"]["request_id"] if scope else "-"
    return True


def current_route() -> str:
    """Return the method and the path template of the current request."""
    scope = current_scope.get()
    if scope is None:
        return "no request"
    # FastAPI sets it, undocumented: `test_slow_statement_is_logged_with_duration_and_route` is the
    # contract.
    route: Any = scope.get("route")
    return f"{scope['method']} {route.path if route else scope['path']}"
