"""Close connections whose session a statement changed, for example with SET."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.core.listeners import listen
from app.core.statements import HasInfo, Statement, observers_of


def statements(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for the beginning of a statement, after blanks and comments."""
    return re.compile(rf"(?:\s|--[^\n]*+|/\*.*?\*/)*+(?:{pattern})", re.IGNORECASE | re.DOTALL)


def close_changed_sessions(
    engine: Engine, changes_session: Callable[[str], bool | Callable[[Any], bool]]
) -> None:
    """Close a connection when it is returned, if a statement changed its session.

    `changes_session` gets the SQL of a statement, and returns a function where the parameters
    decide. Resetting the session of each connection would cost each request a round trip.
    """
    changes = lru_cache(maxsize=500)(changes_session)  # like SQLAlchemy's cache of statements

    def note_change(statement: Statement) -> None:
        if statement.is_dml:
            return
        change = changes(statement.sql)
        if change if isinstance(change, bool) else change(statement.parameters):
            statement.connection.info["session_changed"] = True

    observers_of(engine).before.append(note_change)
    listen(engine, "checkin", _close_changed)


def is_changed(connection: HasInfo) -> bool:
    """Return whether a statement changed the session of a connection."""
    return "session_changed" in connection.info


def _close_changed(_: Any, record: ConnectionPoolEntry) -> None:
    if is_changed(record):
        record.invalidate()
