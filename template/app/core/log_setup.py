"""Set up logging: every line of a process has the same format, whichever library writes it."""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from app.core.logs import JsonFormatter, TextFormatter, add_request, current_scope

logger = logging.getLogger(__name__)

FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}
# Each may set fields of a record, and returns whether to log it.
FILTERS: list[Callable[[logging.LogRecord], bool]] = [add_request]


def set_up_logging(level: str, log_format: str) -> None:
    """Log to standard error, from `level` upwards, also warnings and unhandled exceptions."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[log_format]())
    for accepts in (*FILTERS, is_new):
        handler.addFilter(accepts)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = log_exception
    threading.excepthook = log_exception_of_thread
    sys.unraisablehook = log_unraisable
    set_up_uvicorn(level)


def set_up_uvicorn(level: str) -> None:
    """Let uvicorn log like everything else; plain `uvicorn` has handlers of its own."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
    logging.getLogger("uvicorn").propagate = True
    # Below INFO, it logs the headers and messages of WebSockets.
    logging.getLogger("uvicorn.error").setLevel("INFO" if level == "DEBUG" else level)
    # `AccessLogMiddleware` logs requests.
    logging.getLogger("uvicorn.access").propagate = False


def is_new(record: logging.LogRecord) -> bool:
    """Return whether a record says more than the access log does.

    uvicorn 0.54 logs the handshakes of WebSockets, with their query strings, which may contain
    tokens. It also reports each error response to a handshake as a bug of the application:
    `test_error_response_to_a_handshake_is_no_alarm` is the contract.
    """
    if record.name != "uvicorn.error":
        return True
    message = str(record.msg)
    if "without completing handshake" in message:
        scope = current_scope.get()
        return scope is None or not scope["state"].get("handshake_answered", False)
    return '"WebSocket %s"' not in message and message not in {
        "connection open",
        "connection closed",
    }


def log_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Log an exception that ends the process."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logger.critical("Unhandled exception", exc_info=(kind, error, traceback))


def log_exception_of_thread(failed: threading.ExceptHookArgs) -> None:
    """Log an exception that ends a thread."""
    name = failed.thread.name if failed.thread else "a thread"
    error: Any = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logger.error("Unhandled exception in %s", name, exc_info=error)


def log_unraisable(ignored: Any) -> None:
    """Log an exception that Python ignores, such as one in `__del__`."""
    error = (ignored.exc_type, ignored.exc_value, ignored.exc_traceback)
    logger.error("%s in %r", ignored.err_msg or "Exception ignored", ignored.object, exc_info=error)


def failure(message: str) -> SystemExit:
    """Return the exception that exits with status 1 and a message.

    If LOG_FORMAT is json, the message is a line of the log.
    """
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    if any(isinstance(formatter, JsonFormatter) for formatter in formatters):
        logger.critical("%s", message)
        return SystemExit(1)
    return SystemExit(message)
