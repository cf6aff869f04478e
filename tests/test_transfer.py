"""Transferring the rows of a service to another database: all or none of them, unchanged."""

import importlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock_time
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
import sqlalchemy as sa

from harness.parts import nightly
from harness.rendering import ROOT, render
from harness.servers import Server
from harness.services import UV
from harness.waiting import eventually

SCRIPT = ROOT / "tools" / "transfer.py"
GUIDE = ROOT / "docs" / "guides" / "transfer.md"
DRIVERS = {"sqlite": "aiosqlite", "postgresql": "psycopg", "mysql": "aiomysql"}
STRUCTURES = {"sqlite": "flat", "postgresql": "layered", "mysql": "by_feature"}
SYNC = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
# Every ordered pair of databases is a step of one of these.
RINGS = [
    ["sqlite", "postgresql", "mysql", "sqlite"],
    ["sqlite", "mysql", "postgresql", "sqlite"],
]
STEPS = list(pairwise(RINGS[0]))
FURTHER_STEPS = list(pairwise(RINGS[1]))
# The settings of services, except that a key may be 0.
SESSION = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET timezone = 'UTC'",
    "mysql": "SET sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
}
SECONDS = 120
# Byte code is cached, and the tool is not started by uv.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "UV"} | {"PYTHONDONTWRITEBYTECODE": ""}

pytestmark = [
    # SQLAlchemy warns about types that lose precision on SQLite, which these tests examine.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
on_servers = pytest.mark.xdist_group("transfer")
# The long tests run on another worker, with servers of their own.
long_on_servers = pytest.mark.xdist_group("transfer_long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everything = metafunc.config.getoption("all")
    if "ring" in metafunc.fixturenames:
        metafunc.parametrize("ring", RINGS if everything else RINGS[:1], ids="-".join)


@pytest.fixture
def database(tmp_path: Path, servers: Callable[[str], Server]) -> Iterator[Callable[[str], str]]:
    """Creates an empty database; returns its URL."""
    made = []

    def new(kind: str) -> str:
        name = f"transfer_{uuid4().hex}"
        if kind == "sqlite":
            sqlite3.connect(tmp_path / f"{name}.db").close()
            return f"sqlite:///{tmp_path / name}.db"
        server = servers(kind)
        server.create_database(name)
        if kind == "postgresql":
            server.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
        made.append((server, name))
        return f"{kind}://{server.address}/{name}"

    yield new
    for server, name in made:
        server.drop_database(name)


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the tool in the folder of a service. It must not print a traceback."""
    result = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


def transfer(folder: Path, *arguments: str) -> str:
    """Run the tool, which must succeed; returns its output."""
    result = run(folder, *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def refused(folder: Path, *arguments: str) -> str:
    """Run the tool, which must refuse; returns its message."""
    result = run(folder, *arguments)
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    return result.stderr.strip()


def engine(url: str) -> sa.Engine:
    kind, _, rest = url.partition("://")
    made = sa.create_engine(f"{SYNC[kind]}://{rest}", poolclass=sa.NullPool)

    @sa.event.listens_for(made, "connect")
    def set_session(connection: Any, _: object) -> None:
        connection.cursor().execute(SESSION[kind])
        connection.commit()

    return made


def execute(url: str, statement: Any, values: Any = None) -> list[Any]:
    statement = sa.text(statement) if isinstance(statement, str) else statement
    with engine(url).begin() as connection:
        result = connection.execute(statement, values)
        return list(result) if result.returns_rows else []


class Owned:
    """A folder with models of an owner, and databases with their tables."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder = folder
        (folder / "app").mkdir(parents=True)
        (folder / "app" / "models.py").write_text(models)
        self.models = load(folder)
        self.tables = self.models.Base.metadata.tables

    def create(self, url: str, **rows: list[dict[str, Any]]) -> str:
        self.models.Base.metadata.create_all(engine(url))
        for name, values in rows.items():
            execute(url, self.tables[name].insert(), values)
        return url

    def rows(self, url: str) -> dict[str, list[tuple[Any, ...]]]:
        return rows(self.models.Base.metadata, url)


def load(folder: Path) -> ModuleType:
    """The module `app.models` of a service, imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("app.models")
    finally:
        sys.path.remove(str(folder))


def rows(metadata: sa.MetaData, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with engine(url).connect() as connection:
        return {
            name: sorted(
                (tuple(map(naive_utc, row)) for row in connection.execute(table.select())), key=repr
            )
            for name, table in metadata.tables.items()
        }


def naive_utc(value: Any) -> Any:
    """A datetime without its timezone, which only PostgreSQL and some column types return."""
    is_aware = isinstance(value, datetime) and value.tzinfo
    return value.astimezone(UTC).replace(tzinfo=None) if is_aware else value


def is_empty(owned: Owned, url: str) -> bool:
    return not any(owned.rows(url).values())


# --- Services ---


def render_for_each_database(template: Path, folder: Path) -> dict[str, Path]:
    return {
        kind: render(
            template,
            folder / kind,
            driver=DRIVERS[kind],
            structure=STRUCTURES[kind],
            auth="jwt",
            examples=["projects", "measurements", "assistant"],
        )
        for kind in DRIVERS
    }


@long_on_servers
def test_rows_of_a_service_are_equal_on_every_database(
    ring: list[str], template: Path, tmp_path: Path, database: Callable[[str], str]
) -> None:
    services = render_for_each_database(template, tmp_path)
    metadata = load(services["sqlite"]).Base.metadata
    urls = [database(kind) for kind in ring]
    for kind, url in zip(ring, urls, strict=True):
        migrate(services[kind], url)
    fill(metadata, urls[0], 40)
    filled = rows(metadata, urls[0])
    assert len(filled) == 12
    for kind, old, new in zip(ring[1:], urls, urls[1:], strict=False):
        output = transfer(services[kind], old, new)
        assert output.count(" 40  ") == output.count("  equal\n") == 12
        assert rows(metadata, new) == filled


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
        return list(members)[row % 3]
    length = getattr(column.type, "length", None)
    values: dict[type, Any] = {
        UUID: uuid5(UUID(int=0), f"{column}{row}"),
        str: f"{row} 'Zoë' \"🐍\" 100 % \\ \n :name\t漢字 {column.name}"[:length],
        int: row % 5 + 1,
        float: 0.1 * row - 1e-300,
        datetime: datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC) + timedelta(microseconds=row),
    }
    return values[column.type.python_type]


@long_on_servers
def test_command_of_the_guide_works(
    template: Path, tmp_path: Path, database: Callable[[str], str]
) -> None:
    service = render(template, tmp_path / "service", driver="psycopg", structure="flat")
    metadata = load(service).Base.metadata
    old, url = f"sqlite:///{service}/my_service.db", database("postgresql")
    for made in (old, url):
        metadata.create_all(engine(made))
    fill(metadata, old, 3)
    lines = {line.strip() for line in GUIDE.read_text().splitlines()}
    (tool,) = {line for line in lines if line.startswith("TOOL=")}
    (line,) = {line for line in lines if line.startswith("uv run $TOOL")}
    script = line.replace("postgresql://me@localhost/my_service", url).replace("uv ", f"{UV} ", 1)
    set_tool = tool.replace("../copier-fastapi-async", str(ROOT))
    assert url in script
    assert str(SCRIPT) in set_tool
    environment = {name: v for name, v in os.environ.items() if name != "VIRTUAL_ENV"}
    result = subprocess.run(
        ["sh", "-c", f"{set_tool}\n{script}"],
        cwd=service,
        env=environment | {"UV_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert rows(metadata, url) == rows(metadata, old)


# --- Tables of owners ---

BASE = """\
import enum
from datetime import UTC, datetime

from sqlalchemy import *
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass

"""

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


# --- Rows that are rejected ---

ITEMS = (
    BASE
    + """
Table(
    "items",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), unique=True),
    Column("size", Integer, CheckConstraint("size < 100")),
    Column("kind_id", ForeignKey("kinds.id")),
)
Table("kinds", Base.metadata, Column("id", Integer, primary_key=True))
"""
)
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


# --- Interruptions ---

NOTES = (
    BASE
    + """
import time
from pathlib import Path
from sqlalchemy import TypeDecorator

GO = Path(__file__).parent.parent / "go"


class Blocking(TypeDecorator):
    impl = Text
    cache_ok = True

    def process_result_value(self, value, dialect):
        if value == "block" and not GO.exists():
            GO.with_name("blocked").touch()
            while not GO.exists():
                time.sleep(0.01)
        return value


Table("notes", Base.metadata, Column("id", Integer, primary_key=True), Column("text", Blocking))
"""
)


def blocking_notes(owned: Owned, url: str) -> str:
    """Insert notes; reading the middle one blocks until the file `go` exists."""
    notes(owned, url, 200)
    execute(url, "UPDATE notes SET text = 'block' WHERE id = 100")
    return url


def start_and_block(owned: Owned, source: str, target: str) -> subprocess.Popen[str]:
    process = start(owned.folder, "--batch-size", "10", source, target)
    blocked = owned.folder / "blocked"
    eventually(lambda: blocked.exists() or process.poll() is not None)
    assert process.poll() is None
    return process


def notes(owned: Owned, url: str, number: int) -> str:
    owned.create(url)
    numbers = (
        "SELECT seq FROM seq_1_to_{}"
        if url.startswith("mysql")
        else "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {})"
        " SELECT seq FROM n"
    ).format(number)
    word = "repeat('word ', 40)" if not url.startswith("sqlite") else f"'{'word ' * 40}'"
    execute(url, f"INSERT INTO notes SELECT seq, {word} FROM ({numbers}) AS numbers")
    return url


@on_servers
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("sqlite", signal.SIGKILL),
        ("postgresql", signal.SIGKILL),
        ("mysql", signal.SIGKILL),
        ("sqlite", signal.SIGTERM),
        ("postgresql", signal.SIGINT),
        ("mysql", signal.SIGINT),
    ],
)
def test_interrupted_transfer_writes_nothing_and_can_be_repeated(
    kind: str,
    number: signal.Signals,
    tmp_path: Path,
    database: Callable[[str], str],
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    source = blocking_notes(owned, database("sqlite"))
    target = owned.create(database(kind))
    process = start_and_block(owned, source, target)
    process.send_signal(number)
    output, message = process.communicate(timeout=SECONDS)
    assert output == ""
    if number == signal.SIGKILL:
        assert process.returncode == -number
        assert is_empty(owned, target)
        (owned.folder / "go").touch()
        transfer(owned.folder, source, target)
        assert owned.rows(target) == owned.rows(source)
    else:
        interrupted = "Interrupted. Nothing was written. Run this command again.\n"
        assert (process.returncode, message) == (1, interrupted)
        assert is_empty(owned, target)


@on_servers
@pytest.mark.parametrize(
    ("kind", "lost"), [("postgresql", "new"), ("mysql", "new"), ("postgresql", "old")]
)
def test_lost_connection_is_an_error_and_writes_nothing(
    kind: str,
    lost: str,
    tmp_path: Path,
    database: Callable[[str], str],
    servers: Callable[[str], Server],
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    server = servers(kind)
    if lost == "new":
        source, target = blocking_notes(owned, database("sqlite")), owned.create(database(kind))
    else:
        source, target = blocking_notes(owned, database(kind)), owned.create(database("sqlite"))
    process = start_and_block(owned, source, target)
    name = (target if lost == "new" else source).rpartition("/")[2]
    if kind == "postgresql":
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        server.execute(end, name)
    else:
        ids = "SELECT id FROM information_schema.processlist WHERE db = %s"
        for (number,) in server.execute(ids, name):
            server.execute(f"KILL CONNECTION {number}")
    (owned.folder / "go").touch()
    output, message = process.communicate(timeout=SECONDS)
    assert (process.returncode, output) == (1, "")
    assert message.startswith("Database error: ")
    assert message.endswith(". Nothing was written.\n")
    assert len(message.splitlines()) == 1
    assert is_empty(owned, target)


def test_full_disk_is_an_error_and_writes_nothing(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    source = notes(owned, database("sqlite"), 50_000)
    target = owned.create(database("sqlite"))
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    result = run(owned.folder, source, target, preexec_fn=limit)
    assert result.returncode == 1
    assert result.stderr.startswith("Database error: ")
    assert is_empty(owned, target)
    transfer(owned.folder, source, target)


@on_servers
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_all_tables_are_read_from_one_snapshot(
    kind: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    later = 'Table("later", Base.metadata, Column("id", ForeignKey("notes.id"), primary_key=True))'
    owned = Owned(tmp_path / "service", f"{NOTES}\n{later}\n")
    source, target = blocking_notes(owned, database(kind)), owned.create(database("sqlite"))
    execute(source, "INSERT INTO later VALUES (1)")
    process = start_and_block(owned, source, target)
    execute(source, "INSERT INTO later VALUES (2)")
    (owned.folder / "go").touch()
    _, message = process.communicate(timeout=SECONDS)
    assert (process.returncode, message) == (0, "")
    assert owned.rows(target)["later"] == [(1,)]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# The peak of a process includes that of its parent at the fork, so a small process starts the tool.
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@long_on_servers
@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_rows(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    peaks = []
    for number in (20_000, 1_000_000):
        owned = Owned(tmp_path / f"service {number}", NOTES)
        source = notes(owned, database("postgresql"), number)
        target = owned.create(database("mysql"))
        measured = subprocess.run(
            [sys.executable, "-c", PEAK, sys.executable, str(SCRIPT), source, target],
            cwd=owned.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        assert f" {number:,}  " in measured.stdout
        peaks.append(int(measured.stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < 10_000  # kilobytes; the additional rows take 40,000


# --- Refusals before anything is written ---


@pytest.fixture
def owned(tmp_path: Path) -> Owned:
    return Owned(tmp_path / "service", ITEMS)


@pytest.fixture
def pair(owned: Owned, database: Callable[[str], str]) -> tuple[str, str]:
    """A database with rows, and an empty one."""
    filled = owned.create(database("sqlite"), kinds=[{"id": 1}], items=[{"id": 1, "kind_id": 1}])
    return filled, owned.create(database("sqlite"))


def usage_error(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1].partition("error: ")[2]


def test_outside_of_a_service_is_an_error_that_says_where_to_run_it(tmp_path: Path) -> None:
    message = usage_error(tmp_path, "sqlite:///a.db", "sqlite:///b.db")
    assert message == "app/models.py not found; run this in the service's folder"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("oracle://me:s3cret@host/x", "must start with sqlite://, postgresql:// or mysql://"),
        ("s3cret", "must start with sqlite://, postgresql:// or mysql://"),
        (
            "mysql://me:s3cret@host:port/x",
            "the port is not a number; in a password, write %40 for @ and %3A for :",
        ),
        ("postgresql://me:s3cret@host", "has no database name; end the URL with /name"),
        ("sqlite://", "has no database name; end the URL with /name"),
        ("sqlite:///:memory:", "has no database name; end the URL with /name"),
    ],
)
def test_unusable_url_is_an_error_without_its_password(owned: Owned, url: str, reason: str) -> None:
    assert usage_error(owned.folder, "sqlite:///a.db", url) == f"argument NEW: {reason}"


def test_other_usage_errors_do_not_show_passwords(owned: Owned) -> None:
    url = "mysql://me:s3cret@host/x"
    assert usage_error(owned.folder, url, url, url).endswith("mysql://me:***@host/x")
    for size in ("0", "x", "-1"):
        message = usage_error(owned.folder, "--batch-size", size, url, url)
        assert message == "argument --batch-size: must be a positive integer"


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "mariadb"])
def test_unreachable_server_is_named_without_its_password(
    owned: Owned, pair: tuple[str, str], scheme: str
) -> None:
    message = refused(owned.folder, pair[0], f"{scheme}://me:s3cret@127.0.0.1:1/x")
    assert message.startswith("Cannot connect to the new database ")
    assert "://me:***@127.0.0.1:1/x: " in message
    assert message.endswith(". Check the URL and that the server is running.")
    assert "s3cret" not in message


@on_servers
@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("postgresql", "postgres"),
        ("postgresql", "postgresql+asyncpg"),
        ("mysql", "mysql+asyncmy"),
        ("mysql", "mariadb"),
    ],
)
def test_urls_of_services_are_accepted(
    kind: str, written: str, owned: Owned, pair: tuple[str, str], database: Callable[[str], str]
) -> None:
    target = owned.create(database(kind))
    query = "?ssl=prefer" if "asyncpg" in written else ""
    transfer(
        owned.folder,
        pair[0].replace("sqlite", "sqlite+aiosqlite"),
        target.replace(kind, written, 1) + query,
    )
    assert owned.rows(target) == owned.rows(pair[0])


def test_missing_file_is_an_error_and_not_created(owned: Owned, pair: tuple[str, str]) -> None:
    message = refused(owned.folder, "sqlite:///none.db", pair[1])
    assert message == "The old database sqlite:///none.db does not exist. Correct its URL."
    message = refused(owned.folder, pair[0], "sqlite:///none.db")
    assert message.endswith("none.db does not exist. Create it with `uv run alembic upgrade head`.")
    assert not (owned.folder / "none.db").exists()


@on_servers
@pytest.mark.parametrize("kind", DRIVERS)
def test_same_database_under_another_url_is_refused(
    kind: str, owned: Owned, database: Callable[[str], str], tmp_path: Path
) -> None:
    url = owned.create(database(kind))
    if kind == "sqlite":
        (tmp_path / "link").symlink_to(tmp_path)
        other = url.replace(f"{tmp_path}/", f"{tmp_path}/link/")
    else:
        other = url.replace("127.0.0.1", "localhost")
    message = refused(owned.folder, url, other)
    assert message == "Both URLs refer to the same database. Correct one of them."


def test_database_without_all_migrations_is_refused(owned: Owned, pair: tuple[str, str]) -> None:
    old, new = pair
    execute(new, "DROP TABLE items")
    execute(new, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, kind_id INTEGER)")
    execute(new, "DROP TABLE kinds")
    assert refused(owned.folder, old, new) == (
        "The new database is missing the table kinds, the column items.size. Run"
        " `uv run alembic upgrade head` with its URL in DATABASE_URL."
    )
    assert refused(owned.folder, new, old) == (
        "The old database is missing the table kinds, the column items.size. Run"
        " `uv run alembic upgrade head` for it, with the service as it was before the switch."
    )


def test_databases_at_different_migrations_are_refused(owned: Owned, pair: tuple[str, str]) -> None:
    for url, version in zip(pair, ("0001", "0002"), strict=True):
        execute(url, "CREATE TABLE alembic_version (version_num TEXT)")
        execute(url, f"INSERT INTO alembic_version VALUES ('{version}')")
    assert refused(owned.folder, *pair) == (
        "The old database is at revision 0001, the new one at 0002. Run"
        " `uv run alembic upgrade head` for both. For the old one, use the service as it was"
        " before the switch."
    )
    execute(pair[1], "UPDATE alembic_version SET version_num = '0001'")
    transfer(owned.folder, *pair)


def test_database_with_rows_is_refused(owned: Owned, pair: tuple[str, str]) -> None:
    execute(pair[1], owned.tables["kinds"].insert(), [{"id": 7}, {"id": 8}])
    before = owned.rows(pair[1])
    message = refused(owned.folder, *pair)
    assert message.startswith(
        f"The new database {pair[1]} is not empty: kinds (2 rows). If these are"
    )
    assert owned.rows(pair[1]) == before


def test_swapped_urls_are_recognized(owned: Owned, pair: tuple[str, str]) -> None:
    old, new = pair
    before = owned.rows(old)
    assert refused(owned.folder, new, old) == (
        f"The old database {new} is empty, but the new database {old} is not: kinds (1 row), items"
        " (1 row). Swap the URLs: the first one is the old database."
    )
    assert owned.rows(old) == before


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            "import not_there.at_all",
            "app.models needs the module not_there, which is not installed. Add its package to the"
            " service.",
        ),
        (
            "import app.not_there",
            "Cannot import app.models: No module named 'app.not_there'. Fix this error first.",
        ),
        ("x = 1", "Cannot import app.models: AttributeError: module 'app.models' has no attribute"),
        ("1 / 0", "Cannot import app.models: ZeroDivisionError: division by zero. Fix this error"),
    ],
)
def test_models_that_cannot_be_imported_are_named(
    owned: Owned, pair: tuple[str, str], models: str, message: str
) -> None:
    (owned.folder / "app" / "models.py").write_text(models)
    assert refused(owned.folder, *pair).startswith(message)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            """
Table("a", Base.metadata, Column("id", Integer, primary_key=True),
      Column("b_id", ForeignKey("b.id"), nullable=False))
Table("b", Base.metadata, Column("id", Integer, primary_key=True),
      Column("a_id", ForeignKey("a.id"), nullable=False))
""",
            "NOT NULL foreign keys form a cycle in a, b, so no row can be inserted first. Make one"
            " of them nullable, with a migration of both databases.",
        ),
        (
            """
Table("a", Base.metadata, Column("id", Integer, primary_key=True),
      Column("a_id", ForeignKey("a.id"), nullable=False))
""",
            "NOT NULL foreign keys form a cycle in a, so no row can be inserted first. Make one"
            " of them nullable, with a migration of both databases.",
        ),
        (
            """
Table("a", Base.metadata, Column("id", Integer, unique=True), Column("a_id", ForeignKey("a.id")))
""",
            "The table a references rows that are inserted later, but it has no primary key. Add"
            " one, with a migration of both databases.",
        ),
    ],
)
def test_cycle_of_required_foreign_keys_is_refused(
    tables: str, message: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "cycle", BASE + tables)
    assert refused(owned.folder, database("sqlite"), database("sqlite")) == message


def test_tables_and_columns_without_a_model_are_named_and_not_copied(
    owned: Owned, pair: tuple[str, str]
) -> None:
    execute(pair[0], "CREATE TABLE legacy (id INTEGER)")
    execute(pair[0], "ALTER TABLE items ADD COLUMN colour TEXT")
    result = run(owned.folder, *pair)
    assert result.returncode == 0
    assert result.stderr == (
        "Not copied, because app.models does not define it: the column items.colour, the table"
        " legacy.\n"
    )


def test_dry_run_checks_and_counts_without_writing(owned: Owned, pair: tuple[str, str]) -> None:
    output = transfer(owned.folder, "--dry-run", *pair)
    assert output.splitlines() == [
        "kinds: 1 row",
        "items: 1 row",
        "All checks passed. Nothing was written. Now run this without --dry-run.",
    ]
    assert is_empty(owned, pair[1])
    execute(pair[1], "DROP TABLE items")
    assert "is missing the table items" in refused(owned.folder, "--dry-run", *pair)


def test_progress_is_shown_only_on_a_terminal(owned: Owned, pair: tuple[str, str]) -> None:
    assert run(owned.folder, "--dry-run", *pair).stderr == ""
    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [sys.executable, str(SCRIPT), *pair]
    subprocess.run(command, cwd=owned.folder, stderr=terminal, stdout=subprocess.PIPE, check=True)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)
    os.close(terminal)
    assert "Copying kinds: " in shown
    assert "100%" in shown
    assert "4.00/4.00" in shown


def test_old_database_is_not_written_to(owned: Owned, pair: tuple[str, str]) -> None:
    file = Path(pair[0].removeprefix("sqlite:///"))
    before = file.read_bytes()
    transfer(owned.folder, *pair)
    assert file.read_bytes() == before


def test_help_has_an_example_and_the_exit_statuses(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")
    assert result.returncode == 0
    assert "uv run $TOOL sqlite:///my_service.db" in result.stdout
    assert "Exit status: 0 if all rows were copied, 1 if" in result.stdout
