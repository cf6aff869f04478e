"""Log lines: their formats, their lengths, and the request that they belong to."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

from starlette.types import Scope

# What a line has beside time, level, logger, request ID and message, if it is known. To add a field
# of your own, add its name here, and log with `extra={"name": value}`.
FIELDS = ["method", "route", "status", "duration"]

# Limits in characters: clients choose parts of messages, such as paths.
MAX_MESSAGE = 2000
MAX_TRACEBACK = 20_000
MAX_PATH = 200
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# The ASGI scope of the current request; the router adds the route to it.
current_scope: ContextVar[Scope | None] = ContextVar("current_scope", default=None)

encode = json.JSONEncoder(default=str).encode


class TextFormatter(logging.Formatter):
    """Writes a line of text, and indented lines for a traceback.

    What clients choose cannot imitate a field, which comes before the message, or another line,
    which is never indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        values = vars(record)
        fields = "".join(f"{name}={values[name]} " for name in FIELDS if name in values)
        message = shorten(escape(message_of(record)), MAX_MESSAGE)
        request_id = values.get("request_id") or "-"
        line = f"{record.levelname} {record.name} [{request_id}] {escape(fields)}{message}"
        details = traceback_of(record)
        return "\n  ".join([f"{self.formatTime(record)} {line}", *map(escape, details)])


class JsonFormatter(logging.Formatter):
    """Writes a JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        values = vars(record)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        for name in ("request_id", *FIELDS):
            if values.get(name) is not None:
                line[name] = values[name]
        line["message"] = shorten(message_of(record), MAX_MESSAGE)
        if details := traceback_of(record):
            line["exception"] = "\n".join(details)
        return encode(line)


def message_of(record: logging.LogRecord) -> str:
    """Return the message of a record."""
    try:
        return record.getMessage().strip()
    except Exception:  # logging would print a traceback instead of the line
        return f"{record.msg} (logged with wrong arguments)"


def traceback_of(record: logging.LogRecord) -> list[str]:
    """Return the lines of the traceback and of the stack of a record; none if it has neither."""
    if not (record.exc_info or record.exc_text or record.stack_info):
        return []
    formatter = logging.Formatter()
    error = formatter.formatException(record.exc_info) if record.exc_info else record.exc_text
    text = "\n".join(filter(None, [error, record.stack_info]))
    if len(text) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        text = f"{text[:half]}\n… ({len(text) - 2 * half} more)\n{text[-half:]}"
    return text.split("\n")


def escape(text: str) -> str:
    """Return a text in which escape sequences replace line breaks and other control characters."""
    return CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: object) -> str:
    """Return a text with single spaces in place of all whitespace."""
    return " ".join(str(text).split())


def shorten(text: str, limit: int) -> str:
    """Return up to `limit` characters of a text, and how many more it has."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more)"


def add_request(record: logging.LogRecord) -> bool:
    """Add the current request to a record; as a filter, it accepts all records."""
    scope = current_scope.get()
    record.request_id = scope["state"]["request_id"] if scope else None
    if scope:
        values = vars(record)
        values.setdefault("method", method_of(scope))
        if route := route_of(scope):
            values.setdefault("route", route)
    return True


def method_of(scope: Scope) -> str:
    """Return the method of a request; a WebSocket has none."""
    method: str = scope.get("method", "WebSocket")
    return method


def route_of(scope: Scope) -> str | None:
    """Return the path template of a request, such as `/api/v1/tasks/{task_id}`."""
    # FastAPI sets it, undocumented: `test_slow_statement_is_logged_with_duration_and_route` is the
    # contract.
    path: str | None = getattr(scope.get("route"), "path", None)
    return path


def current_route() -> str:
    """Return the method and the path template of the current request."""
    scope = current_scope.get()
    if scope is None:
        return "no request"
    return f"{method_of(scope)} {route_of(scope) or shorten(scope['path'], MAX_PATH)}"
