"""Rows that cannot be read or written are named, and nothing is written."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.transfer.transferring import (
    BASE,
    ITEMS,
    Owned,
    execute,
    is_empty,
    lossy_types,
    on_servers,
    refused,
)

pytestmark = lossy_types

DAY = datetime(2021, 1, 1)
# Databases, rows that they reject, and their reasons.
REJECTED_ROWS = [
    ("postgresql", {"name": "s3cret" * 5}, "value too long for type character varying(20)"),
    ("mysql", {"name": "s3cret" * 5}, "Data too long for column 'name'"),
    ("postgresql", {"name": "s3cret\0"}, "PostgreSQL text fields cannot contain NUL (0x00) bytes"),
    ("postgresql", {"size": -(2**40)}, "integer out of range"),
    ("mysql", {"size": -(2**40)}, "Out of range value for column 'size'"),
    ("postgresql", {"kind_id": 7}, "violates foreign key constraint"),
    ("mysql", {"kind_id": 7}, "a foreign key constraint fails"),
    ("sqlite", {"kind_id": 7}, "FOREIGN KEY constraint failed"),
    ("mysql", {"name": "S3CRET 1"}, "Duplicate entry for key 'name'"),
    ("sqlite", {"size": 100}, "CHECK constraint failed"),
]


@on_servers
@pytest.mark.parametrize(("kind", "invalid", "reason"), REJECTED_ROWS)
def test_row_that_the_new_database_rejects_is_named_without_its_values(
    kind: str, invalid: dict[str, Any], reason: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", ITEMS)
    valid = [{"id": n, "name": f"s3cret {n}", "size": n % 50} for n in range(1, 1501)]
    source = database("sqlite")
    execute(source, "CREATE TABLE kinds (id INTEGER PRIMARY KEY)")
    execute(
        source,
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, kind_id INTEGER)",
    )
    execute(source, owned.tables["items"].insert(), valid)
    execute(source, owned.tables["items"].update().where(sa.text("id = 1234")).values(**invalid))
    target = owned.create(database(kind))
    message = refused(owned.folder, source, target)
    assert message.startswith("The new database rejects items id=1234: ")
    assert reason in message
    assert message.endswith("Correct or delete this row in the old database.")
    assert "s3cret" not in message.lower()
    assert is_empty(owned, target)


def test_row_that_cannot_be_read_is_named(tmp_path: Path, database: Callable[[str], str]) -> None:
    owned = Owned(
        tmp_path / "service",
        BASE
        + "Table('items', Base.metadata, Column('id', Integer, primary_key=True),"
        + " Column('day', Date), Column('text', Text))",
    )
    items = [{"id": n, "day": date(2020, 1, 1)} for n in range(1, 5001)]
    source, target = owned.create(database("sqlite"), items=items), owned.create(database("sqlite"))
    for column, invalid in {"day": "'s3cret'", "text": "CAST(x'ff733363726574' AS TEXT)"}.items():
        execute(source, f"UPDATE items SET {column} = {invalid} WHERE id = 3333")
        message = refused(owned.folder, source, target)
        assert message.startswith("items id=3333 cannot be read: ")
        assert column == "day" or "s3cret" not in message
        execute(source, f"UPDATE items SET {column} = NULL")


@on_servers
def test_value_that_the_new_database_changes_prevents_the_commit_and_is_named(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    """MySQL's FLOAT keeps seven digits, its DATETIME no fractions, and a trigger changes text."""
    owned = Owned(
        tmp_path / "service",
        BASE
        + """
Table("good", Base.metadata, Column("id", Integer, primary_key=True))
Table("notes", Base.metadata, Column("id", Integer, primary_key=True), Column("sum", Float),
      Column("at", DateTime), Column("text", String(10)))
""",
    )
    notes = [
        {"id": 1, "sum": 0.5, "at": DAY, "text": "s3cret"},
        {"id": 2, "sum": 123456789.5, "at": DAY, "text": "s3cret"},
        {"id": 3, "sum": 0.5, "at": DAY.replace(microsecond=600_000), "text": "s3cret"},
        {"id": 4, "sum": 0.5, "at": DAY, "text": "trigger"},
    ]
    source = owned.create(database("sqlite"), notes=notes, good=[{"id": 1}])
    target = owned.create(database("mysql"))
    execute(
        target,
        "CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW"
        " SET NEW.text = IF(NEW.text = 'trigger', 'Trigger', NEW.text)",
    )
    message = refused(owned.folder, source, target)
    assert message.splitlines()[1:] == [
        "notes: 4 rows in the old database, 4 rows in the new one",
        "  notes id=2 differs in sum",
        "  notes id=3 differs in at",
        "  notes id=4 differs in text",
    ]
    assert is_empty(owned, target)


def test_missing_row_prevents_the_commit_and_is_named(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", ITEMS)
    source = owned.create(database("sqlite"), items=[{"id": n, "size": n} for n in range(99)])
    target = owned.create(database("sqlite"))
    execute(
        target,
        "CREATE TRIGGER t BEFORE INSERT ON items WHEN NEW.id = 42 BEGIN SELECT RAISE(IGNORE); END",
    )
    message = refused(owned.folder, source, target)
    assert message.splitlines()[1:] == [
        "items: 99 rows in the old database, 98 rows in the new one",
        "  items id=42 is missing",
    ]
    assert is_empty(owned, target)
