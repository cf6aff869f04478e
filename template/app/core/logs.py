"""Logging: lines of limited length, with the ID of the request that they belong to."""

import logging
import re
from contextvars import ContextVar
from typing import Any

from starlette.types import Scope

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

# Limits in characters: clients choose parts of messages, such as paths.
MAX_MESSAGE = 2000
MAX_TRACEBACK = 20_000
MAX_PATH = 200
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# The ASGI scope of the current request; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)


def set_up_logging(level: str) -> None:
    """Log to standard error, from `level` upwards."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(FORMAT))
    handler.addFilter(add_request_id)
    handler.addFilter(is_no_false_alarm)
    handler.addFilter(remove_secrets)
    logging.basicConfig(level=level, handlers=[handler])


class LineFormatter(logging.Formatter):
    """Writes a message as one line of limited length, and limits the traceback after it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        message = record.message.strip()
        line = CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], message)
        record.message = shorten(line, MAX_MESSAGE)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        text = super().formatException(ei)
        if len(text) <= MAX_TRACEBACK:
            return text
        half = MAX_TRACEBACK // 2
        return f"{text[:half]}\n… ({len(text) - 2 * half} more)\n{text[-half:]}"


def one_line(text: object) -> str:
    """Return a text with single spaces in place of all whitespace."""
    return " ".join(str(text).split())


def shorten(text: str, limit: int) -> str:
    """Return up to `limit` characters of a text, and how many more it has."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more)"


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


def remove_secrets(record: logging.LogRecord) -> bool:
    """Remove query strings, which may contain tokens. Returns whether to log the record.

    Below INFO, uvicorn logs the headers and messages of WebSockets.
    """
    if record.name not in {"uvicorn.access", "uvicorn.error"}:
        return True
    if isinstance(record.args, tuple):
        record.args = tuple(
            each.partition("?")[0] if isinstance(each, str) else each for each in record.args
        )
    return record.levelno >= logging.INFO


def current_route() -> str:
    """Return the method and the path template of the current request."""
    scope = current_scope.get()
    if scope is None:
        return "no request"
    # FastAPI sets it, undocumented: `test_slow_statement_is_logged_with_duration_and_route` is the
    # contract.
    route: Any = scope.get("route")
    method = scope.get("method", "WebSocket")
    return f"{method} {route.path if route else shorten(scope['path'], MAX_PATH)}"
