"""The rows of all tables, before and after a request or a job."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from app.database import Database
from app.settings import Settings
from tests.core.committed_rows import Rows, read_rows, restore_rows

Shown = dict[str, list[str]]

# What a request may change although it fails.
LEFT_TABLES = {
    "login_attempts": "an attempt is committed before its password is verified",
}
LEFT_COLUMNS = {
    ("api_keys", "last_used_at"): "a key was used whether or not the request succeeds",
    ("login_sessions", "last_used_at"): "so was a login",
    ("budgets", "updated_at"): "credits were spent and returned",
}
# Values that are new each time, besides IDs and times.
NEW_VALUES = {"body", "digest", "headers", "origin", "password_hash", "prefix", "request_digest"}
# The digest of an expired counter, which remains if it cannot be deleted.
EXPIRED = "expired"
# How often a job was tried.
OF_ATTEMPTS = {("outbox", "attempts"), ("jobs", "due_at")}


class Snapshot:
    """The rows when it was taken, to which it can return."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._rows: Rows = {}

    async def take(self) -> None:
        self._rows = await self._read()

    async def restore(self) -> None:
        await restore_rows(self._settings, self._rows)

    async def assert_unchanged(self) -> None:
        def show(_: Table, __: str, value: Any) -> str:
            return str(value)

        assert _show(await self._read(), show) == _show(self._rows, show)

    async def show(self) -> Shown:
        """The rows as they are now, without what is new each time."""
        known = {
            (table.name, column, str(value))
            for table, rows in self._rows.items()
            for row in rows
            for column, value in row.items()
        }

        def show(table: Table, column: str, value: Any) -> str:
            if (table.name, column, str(value)) in known:
                return str(value)
            is_new = isinstance(value, UUID | datetime) or column in NEW_VALUES
            return f"new {type(value).__name__}" if is_new else str(value)

        return _show(await self._read(), show)

    async def _read(self) -> Rows:
        async with self._database.engine.connect() as connection:
            return await read_rows(connection)


def _show(rows: Rows, show: Callable[[Table, str, Any], str]) -> Shown:
    return {
        table.name: sorted(
            ", ".join(
                f"{column}={show(table, column, value)}"
                for column, value in row.items()
                if (table.name, column) not in LEFT_COLUMNS.keys() | OF_ATTEMPTS
            )
            for row in found
            if row.get("digest") != EXPIRED
        )
        for table, found in rows.items()
        if table.name not in LEFT_TABLES
    }
