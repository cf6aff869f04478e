"""Slow-query log: the duration of a statement, its route and its SQL."""

import logging
from time import monotonic

from sqlalchemy import Engine

from app.core.logs import current_route, one_line
from app.core.statements import Statement, observers_of

logger = logging.getLogger(__name__)


def log_slow_queries(engine: Engine, threshold: float) -> None:
    """Log statements that take `threshold` seconds or longer, including failed ones.

    0 disables logging. Bound values are left out: they may be passwords or tokens.
    """
    if not threshold:
        return

    def log(statement: Statement, error: BaseException | None) -> None:
        seconds = monotonic() - statement.began
        if seconds >= threshold:
            outcome = "" if error is None else " (failed)"
            sql = one_line(statement.sql)
            logger.warning("%.3f s%s in %s: %s", seconds, outcome, current_route(), sql)

    observers_of(engine).after.append(log)
