"""Rows for tables of which only the schema in the database is known."""

import re
import warnings
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import CheckConstraint, Column, Connection, MetaData, insert, select
from sqlalchemy.exc import StatementError

from tests.core.support import in_order

VALUES: dict[type, Any] = {
    Decimal: Decimal(1),
    bytes: b"x",
    date: date(2030, 1, 2),
    dict: {},
    str: "x",
    time: time(9, 30),
    timedelta: timedelta(hours=5),
}


def insert_sample_rows(connection: Connection) -> None:
    """Insert a row into each empty table that accepts one: CHECK constraints may reject it."""
    metadata = MetaData()
    with warnings.catch_warnings(action="ignore"):  # SQLite reports no indexes on expressions
        metadata.reflect(connection, only=lambda name, _: name != "alembic_version")
    for table in in_order(metadata.tables.values()):
        if connection.execute(select(table).limit(1)).first() is None:
            row = {
                column.name: sample(connection, column)
                for column in table.columns
                if not (column.computed or column.identity or column is table.autoincrement_column)
            }
            with suppress(StatementError), connection.begin_nested():
                connection.execute(insert(table), row)


def sample(connection: Connection, column: Column[Any]) -> Any:
    """Return a value of a row that this one refers to, of an enum, or of the type."""
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    for check in column.table.constraints:
        if isinstance(check, CheckConstraint):
            of_enum = re.match(rf"\W*{column.name}\W.*?'([^']*)'", str(check.sqltext), re.DOTALL)
            if of_enum:
                return of_enum[1]
    try:
        python_type = column.type.python_type
    except NotImplementedError:
        return None
    if python_type is datetime:
        now = datetime.now(UTC)
        return now if getattr(column.type, "timezone", False) else now.replace(tzinfo=None)
    if python_type.__name__ == "UUID":
        return uuid4()
    if python_type is str and getattr(column.type, "length", None) is None:
        return "{}"  # MariaDB stores JSON as text
    return VALUES.get(python_type, 1)
