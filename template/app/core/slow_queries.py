"""Slow-query log: the duration of a statement, its route and its SQL."""

import logging
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from app.core.logs import current_route, one_line

logger = logging.getLogger(__name__)


def log_slow_queries(engine: Engine, threshold: float) -> None:
    """Log statements that take `threshold` seconds or longer, including failed ones.

    0 disables logging. Bound values are left out: they may be passwords or tokens.
    """
    if not threshold:
        return

    def log(context: Any, outcome: str) -> None:
        seconds = monotonic() - context.began
        if seconds >= threshold:
            statement = one_line(context.statement)
            logger.warning("%.3f s%s in %s: %s", seconds, outcome, current_route(), statement)

    @event.listens_for(engine, "before_cursor_execute", named=True)
    def start(context: Any, **_: Any) -> None:
        context.began = monotonic()

    @event.listens_for(engine, "after_cursor_execute", named=True)
    def stop(context: Any, **_: Any) -> None:
        log(context, "")

    @event.listens_for(engine, "handle_error")
    def fail(error: ExceptionContext) -> None:
        if hasattr(error.execution_context, "began"):
            log(error.execution_context, " (failed)")
