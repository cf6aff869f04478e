"""Services on each database, and rows for all of their tables."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from harness.rendering import render
from tests.transfer.transferring import ENVIRONMENT, SECONDS, execute

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "psycopg", "mysql": "aiomysql"}
STRUCTURES = {"sqlite": "flat", "postgresql": "layered", "mysql": "by_feature"}


def render_for_each_database(template: Path, folder: Path) -> dict[str, Path]:
    return {
        kind: render(
            template,
            folder / kind,
            driver=DRIVERS[kind],
            structure=STRUCTURES[kind],
            auth="jwt",
            examples=["projects", "measurements", "assistant"],
            jobs="database",
        )
        for kind in DRIVERS
    }


def migrate(service: Path, url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=service,
        env=ENVIRONMENT | {"DATABASE_URL": url, "ENVIRONMENT": "test"},
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )


def fill(metadata: sa.MetaData, url: str, number: int) -> None:
    """Insert rows with values of every type into every table."""
    inserted: dict[sa.Table, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        inserted[table] = [
            {column.name: value(column, row, inserted) for column in table.columns}
            for row in range(number)
        ]
        execute(url, table.insert(), inserted[table])


def value(column: sa.Column[Any], row: int, inserted: dict[sa.Table, list[dict[str, Any]]]) -> Any:
    for key in column.foreign_keys:
        return inserted[key.column.table][row][key.column.name]
    if column.nullable and row % 3 == 0:
        return None
    if isinstance(column.type, sa.Enum):
        members: Any = column.type.enum_class
        return list(members)[row % len(members)]
    length = getattr(column.type, "length", None)
    values: dict[type, Any] = {
        UUID: uuid5(UUID(int=0), f"{column}{row}"),
        str: f"{row} 'Zoë' \"🐍\" 100 % \\ \n :name\t漢字 {column.name}"[:length],
        bytes: bytes([row, 0, 255]),
        int: row % 5 + 1,
        bool: row % 2 == 0,
        object: {"text": "Zoë 🐍", "number": row, "nested": [None, 0.5]},  # JSON
        float: 0.1 * row - 1e-300,
        datetime: datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC) + timedelta(microseconds=row),
    }
    return values[column.type.python_type]
