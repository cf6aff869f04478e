"""The log: each line names the request that it belongs to."""

import logging
from contextvars import ContextVar
from typing import Any

from starlette.types import Scope

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

# The request that is being served; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)


def set_up_logging(level: str) -> None:
    """Write the log of this process to standard error, lines of `level` and above."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(add_request_id)
    logging.basicConfig(level=level, handlers=[handler])


def add_request_id(record: logging.LogRecord) -> bool:
    """A filter that lets everything through, with the id of the current request."""
    scope = current_scope.get()
    record.request_id = scope["state"]["request_id"] if scope else "-"
    return True


def current_route() -> str:
    """The method and the path's template of the current request."""
    scope = current_scope.get()
    if scope is None:
        return "no request"
    route: Any = scope.get("route")
    return f"{scope['method']} {route.path if route else scope['path']}"
