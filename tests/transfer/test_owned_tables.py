"""Tables and types of owners are transferred unchanged."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock_time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from harness.parts import nightly
from tests.transfer.transferring import BASE, Owned, execute, lossy_types, on_servers, transfer

pytestmark = lossy_types

# Every ordered pair of databases.
STEPS = [("sqlite", "postgresql"), ("postgresql", "mysql"), ("mysql", "sqlite")]
FURTHER_STEPS = [(new, old) for old, new in STEPS]

UNUSUAL = (
    BASE
    + """
class Color(enum.Enum):
    RED = "#f00"
    BLUE = "#00f"

NAIVE = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
AWARE = DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
OBJECT = JSON().with_variant(postgresql.JSONB(), "postgresql")

class Wrapped(TypeDecorator):
    impl = JSON
    cache_ok = True

class PreciseInterval(Interval):
    cache_ok = True

    def load_dialect_impl(self, dialect):
        return NAIVE

Table(
    "unusual",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("group", Text),
    Column("100 % (sure)", String(20)),
    Column("amount", Numeric(14, 4)),
    Column("ratio", Double),
    Column("big", BigInteger),
    Column("flag", Boolean),
    Column("blob", LargeBinary),
    Column("day", Date),
    Column("clock", Time().with_variant(mysql.TIME(fsp=6), "mysql")),
    Column("lasts", PreciseInterval),
    Column("naive", NAIVE),
    Column("aware", AWARE),
    Column("color", Enum(Color)),
    Column("uuid", Uuid),
    Column("json", JSON),
    Column("object", OBJECT),
    Column("wrapped", Wrapped),
    Column("doubled", Integer, Computed("id * 2")),
)
Table(
    "people",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("parent_id", ForeignKey("people.id")),
    Column("team_id", ForeignKey("teams.id")),
    Column("version", Integer, nullable=False, onupdate=lambda: 99),
    Column("updated_at", AWARE, nullable=False, onupdate=lambda: datetime.now(UTC)),
)
Table(
    "teams",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("leader_id", ForeignKey("people.id"), nullable=False),
)
Table(
    "nodes",
    Base.metadata,
    Column("tree", Integer, primary_key=True),
    Column("node", String(10), primary_key=True),
    Column("parent", String(10)),
    ForeignKeyConstraint(["tree", "parent"], ["nodes.tree", "nodes.node"]),
)
Table("words", Base.metadata, Column("word", String(20)))
"""
)
EAST = timezone(timedelta(hours=9))
UNUSUAL_ROWS: list[dict[str, Any]] = [
    {
        "group": "🐍 Ä\u0301 'quoted' \"double\" \\ back %s :bind \r\n" + "long " * 5000,
        "100 % (sure)": "  spaces  ",
        "amount": Decimal("-1234567890.1234"),
        "ratio": 0.1 + 0.2,
        "big": -(2**63),
        "flag": True,
        "blob": bytes(range(256)),
        "day": date(1583, 1, 1),
        "clock": clock_time(23, 59, 59, 999_999),
        "lasts": timedelta(days=-400, microseconds=7),
        "naive": datetime(9999, 12, 31, 23, 59, 59, 999_999),
        "aware": datetime(2024, 2, 29, 8, 0, 0, 1, EAST).astimezone(UTC),
        "color": "BLUE",
        "uuid": UUID(int=2**128 - 1),
        "json": {"ä": [1, 2.5, 1e20, 100.0, True, None, "🐍\u0000"], "a": {}},
        "object": [{"b": 1, "a": {"z": 0.1}}],
        "wrapped": "text",
    },
    {
        "group": "",
        "amount": Decimal("0.5"),
        "ratio": 1e308,
        "big": 2**63 - 1,
        "flag": False,
        "blob": b"",
        "day": date(9999, 12, 31),
        "clock": clock_time(0),
        "lasts": timedelta(seconds=1.5),
        "naive": datetime(1970, 1, 1),
        "aware": datetime(1970, 1, 1, tzinfo=UTC),
        "color": "RED",
        "json": "a string",
        "object": 5,
        "wrapped": [],
    },
    {"ratio": -0.0, "json": sa.JSON.NULL, "object": sa.JSON.NULL, "wrapped": sa.JSON.NULL},
    {"json": sa.null(), "object": sa.null(), "wrapped": sa.null()},
]
DAY = datetime(2021, 1, 1)


def add_cycle(owned: Owned, url: str) -> None:
    """Two people in one team: one of them is its leader and the parent of the other."""
    people, teams = owned.tables["people"], owned.tables["teams"]
    same = {"version": 7, "updated_at": DAY.replace(tzinfo=UTC)}
    execute(url, people.insert(), [{"id": 2} | same])
    execute(url, teams.insert(), [{"id": 1, "leader_id": 2}])
    execute(url, people.insert(), [{"id": 1, "parent_id": 2, "team_id": 1} | same])
    execute(url, "UPDATE people SET team_id = 1")


@on_servers
@pytest.mark.parametrize(("old", "new"), [*STEPS, *(nightly(*p) for p in FURTHER_STEPS)])
def test_tables_and_types_of_owners_are_equal_on_every_database(
    old: str, new: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", UNUSUAL)
    source = owned.create(
        database(old),
        nodes=[{"tree": 1, "node": n} for n in ("a", "b", "c")],
        words=[{"word": "w"}],
    )
    execute(source, "UPDATE nodes SET parent = 'c' WHERE node <> 'c'")
    for number, row in enumerate(UNUSUAL_ROWS):
        execute(source, owned.tables["unusual"].insert(), row | {"id": 10 * number})
    add_cycle(owned, source)
    target = owned.create(database(new))
    if new == "mysql":
        definition = "updated_at DATETIME(6) NOT NULL ON UPDATE CURRENT_TIMESTAMP(6)"
        execute(target, f"ALTER TABLE people MODIFY {definition}")
    output = transfer(owned.folder, "--batch-size", "2", source, target)
    assert output.count("equal") == 5
    assert owned.rows(target) == owned.rows(source)
    assert owned.rows(target)["people"] == [(1, 2, 1, 7, DAY), (2, None, 1, 7, DAY)]
    for name in ("json", "object", "wrapped"):
        nulls = f"SELECT id FROM unusual WHERE {name} IS NULL"
        assert execute(target, nulls) == execute(source, nulls) == [(30,)]
    # The next row gets a new key.
    execute(target, owned.tables["unusual"].insert(), {"flag": True})
    assert execute(target, "SELECT max(id) FROM unusual") > [(30,)]


KEYS = (
    BASE
    + """
Table("serial", Base.metadata, Column("Key", Integer, primary_key=True), Column("x", Text))
Table("always", Base.metadata, Column("id", BigInteger, Identity(always=True), primary_key=True))
Table("later", Base.metadata, Column("id", Integer, Identity(start=1000), primary_key=True))
Table("named", Base.metadata, Column("id", Integer, Sequence("Numbers"), primary_key=True))
Table("empty", Base.metadata, Column("id", Integer, primary_key=True))
"""
)


@on_servers
def test_postgresql_generates_keys_after_the_copied_ones(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", KEYS)
    numbers = [{"id": 41}, {"id": 42}]
    names = ("always", "later", "named")
    source = owned.create(database("sqlite"), serial=[{"Key": 42}], **dict.fromkeys(names, numbers))
    target = owned.create(database("postgresql"))
    transfer(owned.folder, source, target)
    for name, key in {"serial": 43, "always": 43, "later": 1000, "named": 43, "empty": 1}.items():
        inserted = owned.tables[name].insert().returning(owned.tables[name].primary_key.columns[0])
        assert execute(target, inserted) == [(key,)]
    with pytest.raises(sa.exc.ProgrammingError, match="GENERATED ALWAYS"):
        execute(target, "INSERT INTO always VALUES (7)")
