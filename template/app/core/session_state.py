"""Close connections whose session a statement changed, for example with SET."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry


def statements(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for the beginning of a statement, after blanks and comments."""
    return re.compile(rf"(?:\s|--[^\n]*+|/\*.*?\*/)*+(?:{pattern})", re.IGNORECASE | re.DOTALL)


def close_changed_sessions(engine: Engine, changes_session: Callable[[str, Any], bool]) -> None:
    """Close a connection when it is returned, if a statement changed its session.

    `changes_session` gets the SQL and the parameters of a statement. Resetting the session of each
    connection would cost each request a round trip.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def note_change(
        connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        _many: bool,
    ) -> None:
        is_dml = context.isinsert or context.isupdate or context.isdelete
        if not is_dml and changes_session(statement, parameters):
            connection.info["session_changed"] = True

    @event.listens_for(engine, "checkin")
    def close_changed(_: Any, record: ConnectionPoolEntry) -> None:
        if record.info.get("session_changed"):
            record.invalidate()
