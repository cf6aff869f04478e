# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "cryptography>=50.0.2",
#     "psycopg[binary]>=3.3.9",
#     "pymysql>=1.2.4",
#     "sqlalchemy>=2.1.9,<2.2",
#     "tqdm>=4.70.1",
# ]
# ///
"""Copy all rows of a service from its old database to its new one, and compare the two."""

import argparse
import json
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from types import NoneType
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import exc as errors
from sqlalchemy.schema import sort_tables_and_constraints
from tqdm import tqdm

USAGE = "uv run TOOL [options] OLD NEW"
HELP = """\
Run it in the service's folder, when `uv run alembic upgrade head` has migrated the new database and
nobody writes to the old one any more:

  TOOL=../copier-fastapi-async/tools/transfer.py
  uv run $TOOL sqlite:///my_service.db postgresql://me@host/my_service

All is written in one transaction, compared with the old database, and only then committed. If it is
stopped before, the new database stays empty, and the same command can be run again.

Ends with 0 if all is copied, 1 if something was refused or differs, 2 if it was used wrongly.
"""
# How services spell a database, whatever stands after a `+`.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",  # as in services: types depend on the name of the dialect
    "sqlite": "sqlite+pysqlite",
}
# As in services, but for the limits of time: big tables take long.
SESSION = {
    "postgresql": [
        "SET timezone = 'UTC'",
        "SET statement_timeout = 0",
        "SET lock_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
    ],
    "mysql": [
        # Without NO_AUTO_VALUE_ON_ZERO, a key of 0 would become another.
        "SET SESSION sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00',"
        " wait_timeout = 28800, net_read_timeout = 3600, net_write_timeout = 3600,"
        " innodb_lock_wait_timeout = 600"
        # MariaDB reads the first comment, MySQL the second.
        " /*M!100101 , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */",
    ],
    "sqlite": ["PRAGMA foreign_keys = ON", "PRAGMA busy_timeout = 60000"],
}
READ_ONLY = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
# The same answer means the same database, whatever the URLs look like.
IDENTITY = {
    "postgresql": "SELECT current_database(), current_schema(), pg_postmaster_start_time()",
    "mysql": "SELECT database(), @@hostname, @@port, @@datadir",
    "sqlite": "SELECT file FROM pragma_database_list WHERE name = 'main'",
}
MIGRATE = "`uv run alembic upgrade head`"
BEFORE = "with the service as it was before the switch"
VERSION_TABLE = "alembic_version"
JOINED = "TRANSFER_JOINED_SERVICE"
DIFFERENCES_SHOWN = 5
STOPS = (signal.SIGINT, signal.SIGTERM)

PASSWORD = re.compile(r"(://[^:/@\s]*):\S*@")
# Where a message of a database repeats a value.
VALUE = re.compile(r""" '.*'(?= for (?:key|col))| with text '.*'|: ".*"$| at row 1$""", re.DOTALL)
# What a value raises: from the database, from its driver or from the type of its column.
BAD_VALUE = (errors.StatementError, ArithmeticError, LookupError, TypeError, ValueError)
LOCKED = {1205, 1213}  # MySQL's timeout and deadlock, which are no fault of a row

Row = Sequence[Any]
Bar = Any


class Refused(Exception):  # noqa: N818
    """Says in a sentence why nothing is copied, and what to do about it."""


class Checksum:
    """Of the rows of a table, in any order."""

    rows = total = 0

    def add(self, rows: list[list[Any]]) -> None:
        hashes = (blake2b(repr(row).encode(*UTF8), digest_size=8).digest() for row in rows)
        self.total = (self.total + sum(map(int.from_bytes, hashes))) % 2**64
        self.rows += len(rows)


class TableCopy:
    """How the rows of a table are read and written, and what they were found to be.

    Reads and writes without the defaults of columns: their `onupdate` would change what is copied.
    """

    def __init__(self, table: sa.Table, deferred: list[str], dialects: list[sa.Dialect]) -> None:
        self.table = table
        self.name = table.fullname
        self.key = [column.name for column in table.primary_key]
        # Refer to rows that may come later, and are set when all are there.
        self.deferred = deferred
        self.old, self.new = Checksum(), Checksum()
        copied = [column for column in table.columns if column.computed is None]
        self.names = [column.name for column in copied]
        # Goes as text: to Python, NULL and JSON's null are the same.
        self.json = {c.name for c in copied if all(is_json(c, dialect) for dialect in dialects)}
        types = [sa.types.NullType() if c.name in self.json else c.type for c in copied]
        columns = map(sa.column, self.names, types)
        self.plain = sa.table(table.name, *columns, schema=table.schema)
        self.columns = self.plain.columns
        self.select = sa.select(
            *(sa.cast(c, sa.Text).label(c.name) if c.name in self.json else c for c in self.columns)
        ).order_by(*(self.columns[name] for name in self.key))
        self.select_deferred = self.select.where(
            sa.or_(sa.false(), *(self.columns[name].is_not(None) for name in deferred))
        )
        self.insert = sa.insert(self.plain)

    def update(self) -> sa.Update:
        binds = {n: sa.bindparam(f"new {n}", type_=self.columns[n].type) for n in self.names}
        # Those that stay are named too, or MySQL's ON UPDATE CURRENT_TIMESTAMP would change them.
        values = {n: binds[n] if n in self.deferred else self.columns[n] for n in self.names}
        row = (self.columns[name] == binds[name] for name in self.key)
        return sa.update(self.plain).where(*row).values(values)

    def inserted(self, row: Row) -> dict[str, Any]:
        return dict(zip(self.names, row, strict=True)) | dict.fromkeys(self.deferred)

    def updated(self, row: Row) -> dict[str, Any]:
        values = zip(self.names, row, strict=True)
        return {f"new {n}": value for n, value in values if n in self.deferred or n in self.key}

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[self.names.index(name)] for name in self.key)

    def shown(self, key: Row) -> str:
        pairs = ", ".join(f"{name}={value}" for name, value in zip(self.key, key, strict=True))
        return f"{self.name} {pairs or '(a row without a primary key)'}"

    def canonical(self, row: Row) -> list[Any]:
        """The values of a row, the same from every database that keeps them."""
        return [
            canonical_json(value) if name in self.json else canonical(value)
            for name, value in zip(self.names, row, strict=True)
        ]


def canonical(value: Any) -> Any:
    if type(value) in PLAIN:
        return value
    if convert := CANONICAL.get(type(value)):
        return convert(value)
    kind: Any = type(value)
    if kind.__repr__ is object.__repr__:  # which shows an address
        return type(value).__name__, repr(vars(value))
    return value


def canonical_moment(value: datetime) -> str:
    # A column without a time zone holds UTC.
    return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()


def canonical_number(value: float) -> float | int:
    return int(value) if value.is_integer() else value  # SQLite stores 2.0 as 2


def canonical_decimal(value: Decimal) -> str:
    text = f"{value:f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_json(text: str | None) -> str:
    if text is None:
        return "NULL"
    return json.dumps(json.loads(text, parse_float=json_float), sort_keys=True)


def json_float(text: str) -> float | int:
    return canonical_number(float(text))


PLAIN = {NoneType, bool, bytes, date, int, str, time, timedelta}
CANONICAL: dict[type, Any] = {
    Decimal: canonical_decimal,
    UUID: str,
    datetime: canonical_moment,
    dict: lambda value: json.dumps(value, sort_keys=True, default=repr),
    float: canonical_number,
    memoryview: bytes,
    set: sorted,
}
UTF8 = ("utf-8", "surrogatepass")


def database_url(written: str) -> sa.URL:
    """The URL for a sync driver. What argparse says of a refused one does not repeat it."""
    scheme, separator, _ = written.partition("://")
    driver = DRIVERS.get(scheme.partition("+")[0])
    if not separator or driver is None:
        raise argparse.ArgumentTypeError("it must start with sqlite://, postgresql:// or mysql://")
    try:
        url = sa.make_url(written).set(drivername=driver)
    except ValueError:
        raise argparse.ArgumentTypeError(
            "its port is not a number; in a password, @ is written %40 and : is written %3A"
        ) from None
    if url.database in (None, "", ":memory:"):
        raise argparse.ArgumentTypeError("it names no database: end it with /name")
    query = dict(url.query)
    if driver == "postgresql+psycopg" and "ssl" in query:
        query["sslmode"] = query.pop("ssl")  # asyncpg's name for it
    if driver == "mysql+pymysql":
        query["charset"] = "utf8mb4"
    return url.set(query=query)


def shown(url: sa.URL) -> str:
    """As services spell it, without its password and options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


@contextmanager
def connected(url: sa.URL, which: str) -> Iterator[sa.Connection]:
    """A connection to the old or the new database; what is not committed is rolled back."""
    old = which == "old"
    kind = url.get_backend_name()
    options = {"isolation_level": "REPEATABLE READ" if old else "READ COMMITTED"}
    if kind == "sqlite":
        options = {}
        if "uri" not in url.query and not Path(url.database or "").is_file():
            advice = "correct its URL" if old else f"make it with {MIGRATE}"
            raise Refused(f"There is no {which} database {shown(url)}: {advice}.")
    engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool, **options)

    @sa.event.listens_for(engine, "connect")
    def set_session(connection: Any, _: object) -> None:
        if kind == "sqlite":
            connection.isolation_level = None  # the driver sends no BEGIN of its own
        cursor = connection.cursor()
        for statement in [*SESSION[kind], *[READ_ONLY[kind]] * old]:
            cursor.execute(statement)
        connection.commit()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if kind == "sqlite":
            connection.exec_driver_sql("BEGIN" if old else "BEGIN IMMEDIATE")

    try:
        connection = engine.connect()
        connection.begin()
    except (errors.SQLAlchemyError, TypeError) as error:
        said = f"The {which} database {shown(url)} cannot be opened: {reason(error)}"
        raise Refused(f"{said}: correct its URL, or let its server run.") from None
    with connection:
        yield connection


def reason(error: BaseException) -> str:
    """What the database or Python says, without the value."""
    original = getattr(error, "orig", None) or error
    said = getattr(getattr(original, "diag", None), "message_primary", None)
    said = said or str((original.args or [type(original).__name__])[-1])
    return VALUE.sub("", " ".join(said.split())).removesuffix(".")


def service_metadata() -> sa.MetaData:
    """The tables of the service in whose folder this runs."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        from app.models import Base
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "app":
            join_service()
            raise Refused(
                f"app.models needs the module {error.name}, which is not installed: add its"
                " package to the service."
            ) from None
        raise Refused(f"app.models cannot be imported: {error}: correct it.") from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise Refused(f"app.models cannot be imported: {said}: correct it.") from None
    metadata: sa.MetaData = Base.metadata
    return metadata


def join_service() -> None:
    """Start again in the service's environment, where uv gave this script one of its own."""
    if JOINED in os.environ or not (uv := os.environ.get("UV")):
        return
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = [uv, "run", "--with-requirements", __file__, "python", __file__, *sys.argv[1:]]
    os.execve(uv, command, variables | {JOINED: "1"})


def plan(metadata: sa.MetaData, *connections: sa.Connection) -> list[TableCopy]:
    """The tables in an order in which rows find those that they refer to."""
    tables = [table for table in metadata.tables.values() if table.name != VERSION_TABLE]
    references = [key for table in tables for key in table.foreign_key_constraints]
    required = [(key.referred_table, key.table) for key in references if not nullable(key)]
    try:
        # SQLAlchemy 2.1 does not annotate it.
        ordered = sort_tables_and_constraints(  # type: ignore[no-untyped-call]
            tables, extra_dependencies=required
        )
    except errors.CircularDependencyError as error:
        names = ", ".join(sorted(table.fullname for table in error.cycles))
        raise Refused(
            f"No row can come first in {names}, where foreign keys that cannot be NULL form a"
            " circle: make one of them nullable, by a migration of both databases."
        ) from None
    position = {table: index for index, (table, _) in enumerate(ordered) if table is not None}
    late = [key for key in references if position[key.referred_table] >= position[key.table]]
    for key in late:
        if not key.table.primary_key:
            raise Refused(
                f"The rows of {key.table} refer to some that come later, and have no primary key"
                " to find them by: add one, by a migration of both databases."
            )
    deferred = {table: [key for key in late if key.table is table] for table in position}
    dialects = [connection.dialect for connection in connections]
    return [
        TableCopy(table, sorted({name for key in keys for name in nullable(key)}), dialects)
        for table, keys in deferred.items()
    ]


def nullable(constraint: sa.ForeignKeyConstraint) -> list[str]:
    return [column.name for column in constraint.columns if column.nullable]


def is_json(column: sa.Column[Any], dialect: sa.Dialect) -> bool:
    stored = column.type.dialect_impl(dialect)
    return isinstance(getattr(stored, "impl_instance", stored), sa.JSON)


def check(source: sa.Connection, target: sa.Connection, items: list[TableCopy]) -> None:
    """Refuse what cannot be copied, and warn of what is left behind."""
    if identity(source) == identity(target):
        raise Refused("Both URLs lead to the same database: correct one of them.")
    if missing := lacking(target, items):
        raise Refused(
            f"The new database lacks {missing}: run {MIGRATE} with its URL in DATABASE_URL."
        )
    versions = versions_of(source), versions_of(target)
    if versions[0] != versions[1]:
        raise Refused(
            f"The old database is at migration {versions[0]}, the new one at {versions[1]}: run"
            f" {MIGRATE} for both, for the old one {BEFORE}."
        )
    if missing := lacking(source, items):
        raise Refused(f"The old database lacks {missing}: run {MIGRATE} for it, {BEFORE}.")
    if left := left_behind(source, items):
        print(f"Left behind, because app.models does not know it: {left}.", file=sys.stderr)
    filled = [f"{item.name} ({n} rows)" for item in items if (n := count(target, item))]
    if filled and not any(count(source, item) for item in items):
        raise Refused(
            f"The old database {shown(source.engine.url)} has no rows, and the new one"
            f" {shown(target.engine.url)} has: {', '.join(filled)}. The old one comes first."
        )
    if filled:
        raise Refused(
            f"The new database {shown(target.engine.url)} is not empty: {', '.join(filled)}. If"
            " these are the rows that you meant to copy, nothing is left to do. If not, make an"
            f" empty database, run {MIGRATE}, and do not start the service before all rows are"
            " there."
        )


def identity(connection: sa.Connection) -> tuple[Any, ...]:
    return tuple(connection.execute(sa.text(IDENTITY[connection.dialect.name])).one())


def lacking(connection: sa.Connection, items: list[TableCopy]) -> str:
    missing = []
    for item in items:
        there = columns_there(connection, item.table.name, item.table.schema)
        if not there:
            missing.append(f"the table {item.name}")
        else:
            missing += [f"the column {item.name}.{n}" for n in item.names if n not in there]
    return ", ".join(missing)


def left_behind(connection: sa.Connection, items: list[TableCopy]) -> str:
    known = {item.table.name: item.table.columns for item in items if not item.table.schema}
    left = []
    for table in sorted(sa.inspect(connection).get_table_names()):
        if table in known:
            there = columns_there(connection, table)
            left += [f"the column {table}.{name}" for name in there if name not in known[table]]
        elif table != VERSION_TABLE:
            left.append(f"the table {table}")
    return ", ".join(left)


def columns_there(connection: sa.Connection, table: str, schema: str | None = None) -> list[str]:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table, schema):
        return []
    return [column["name"] for column in inspector.get_columns(table, schema)]


def versions_of(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return "none"
    versions = connection.scalars(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return ", ".join(sorted(versions)) or "none"


def count(connection: sa.Connection, item: TableCopy) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(item.plain)) or 0


def read(
    connection: sa.Connection, item: TableCopy, query: sa.Select[Any], size: int
) -> Iterator[Sequence[Row]]:
    """The rows in batches, of which only one is in memory."""
    done = 0
    try:
        with connection.execute(query, execution_options={"yield_per": size}) as result:
            for batch in result.partitions():
                yield batch
                done += len(batch)
    except BAD_VALUE as error:
        refuse_unreadable(connection, item, query, error, range(done, done + size))


def refuse_unreadable(
    connection: sa.Connection, item: TableCopy, query: sa.Select[Any], error: Exception, rows: range
) -> NoReturn:
    """Find the one of these rows that the types of its columns do not understand."""
    while len(rows) > 1:
        half = rows[: len(rows) // 2]
        try:
            connection.execute(query.limit(len(half)).offset(half.start)).all()
            rows = rows[len(half) :]
        except BAD_VALUE:
            rows = half
    row = f"{item.name} (row {rows.start + 1})"
    with suppress(*BAD_VALUE):
        key = query.with_only_columns(*(item.columns[name] for name in item.key))
        row = item.shown(connection.execute(key.limit(1).offset(rows.start)).one())
    raise Refused(f"{row} cannot be read: {reason(error)}. Correct it in the old database.")


def write(
    connection: sa.Connection, item: TableCopy, statement: sa.Insert | sa.Update, rows: list[Row]
) -> None:
    """Write rows together; if that fails, find the one that is refused."""
    values = item.inserted if statement.is_insert else item.updated
    try:
        with connection.begin_nested():
            connection.execute(statement, [values(row) for row in rows])
    except BAD_VALUE as error:
        if is_fault_of_database(connection, error):
            raise
        if len(rows) == 1:
            raise Refused(
                f"{item.shown(item.key_of(rows[0]))} is refused by the new database:"
                f" {reason(error)}. Correct or delete this row in the old database."
            ) from None
        write(connection, item, statement, rows[: len(rows) // 2])
        write(connection, item, statement, rows[len(rows) // 2 :])


def is_fault_of_database(connection: sa.Connection, error: Exception) -> bool:
    code = next(iter(getattr(getattr(error, "orig", None), "args", ())), None)
    if connection.invalidated or code in LOCKED:
        return True
    # A full disk ends SQLite's transaction: what follows would be committed by itself.
    return not getattr(connection.connection.driver_connection, "in_transaction", True)


def copy(
    source: sa.Connection, target: sa.Connection, items: list[TableCopy], size: int, bar: Bar
) -> None:
    for item in items:
        bar.set_description(f"Copying {item.name}")
        for rows in read(source, item, item.select, size):
            write(target, item, item.insert, list(rows))
            item.old.add([item.canonical(row) for row in rows])
            bar.update(len(rows))
    for item in items:
        if item.deferred:
            statement = item.update()
            for rows in read(source, item, item.select_deferred, size):
                write(target, item, statement, list(rows))


def read_back(target: sa.Connection, items: list[TableCopy], size: int, bar: Bar) -> None:
    for item in items:
        bar.set_description(f"Checking {item.name}")
        for rows in read(target, item, item.select, size):
            item.new.add([item.canonical(row) for row in rows])
            bar.update(len(rows))


@contextmanager
def given_keys(target: sa.Connection, items: list[TableCopy]) -> Iterator[None]:
    """Let PostgreSQL take keys that it would generate, and generate the next ones after them."""
    if target.dialect.name != "postgresql":
        yield
        return
    target.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # each row answers for itself
    names = target.dialect.identifier_preparer
    columns = [column for item in items for column in item.table.columns]
    always = [
        f"ALTER TABLE {names.format_table(c.table)} ALTER {names.format_column(c)} SET GENERATED"
        for c in columns
        if c.identity and c.identity.always
    ]
    for statement in always:
        target.execute(sa.text(f"{statement} BY DEFAULT"))
    yield
    for column in columns:
        advance_sequence(target, column)
    for statement in always:
        target.execute(sa.text(f"{statement} ALWAYS"))


def advance_sequence(target: sa.Connection, column: sa.Column[Any]) -> None:
    names = target.dialect.identifier_preparer
    if isinstance(column.default, sa.Sequence):
        sequence: Any = names.format_sequence(column.default)
    else:
        own = sa.func.pg_get_serial_sequence(names.format_table(column.table), column.name)
        sequence = target.scalar(sa.select(own))
    if sequence:
        last = target.scalar(sa.text(f"SELECT last_value FROM {sequence}"))
        largest = target.scalar(sa.select(sa.func.max(column)))
        if largest is not None and largest >= last:
            target.execute(sa.select(sa.func.setval(sequence, largest)))


def differences(source: sa.Connection, target: sa.Connection, item: TableCopy) -> Iterator[str]:
    """The rows that differ, with their columns that do."""
    key = sa.tuple_(*(item.columns[name] for name in item.key))
    for rows in read(source, item, item.select, 500) if item.key else ():
        found = item.select.where(key.in_([item.key_of(row) for row in rows]))
        copies = [(row, item.canonical(row)) for row in target.execute(found)]
        by_key = {repr(item.key_of(values)): values for _, values in copies}
        for row in rows:
            values = item.canonical(row)
            there = by_key.get(repr(item.key_of(values)))
            pairs = zip(item.names, values, there or values, strict=True)
            changed = ", ".join(name for name, old, new in pairs if repr(old) != repr(new))
            if changed or there is None:
                what = f"differs in {changed}" if there else "is missing"
                yield f"  {item.shown(item.key_of(row))} {what}"


def refuse_differences(
    source: sa.Connection, target: sa.Connection, items: list[TableCopy]
) -> None:
    found = []
    for item in items:
        if (item.old.rows, item.old.total) != (item.new.rows, item.new.total):
            found.append(f"{item.name}: {item.old.rows} rows, and {item.new.rows} after copying")
            found += islice(differences(source, target, item), DIFFERENCES_SHOWN)
    if found:
        raise Refused(
            "The new database did not keep all values, and nothing is committed. Correct these rows"
            " in the old one, or the types of the columns:\n" + "\n".join(found)
        )


def commit(target: sa.Connection) -> None:
    # Interrupted here, nobody could say what became of the rows.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    try:
        target.commit()
    except errors.DBAPIError as error:
        raise Refused(
            f"The commit failed: {reason(error)}. The new database has all rows or none: run this"
            " again, and it says which."
        ) from None


def report(items: list[TableCopy]) -> None:
    width = max(len(item.name) for item in items)
    print(f"{'table':{width}}  {'rows':>11}  checksum")
    for item in items:
        print(f"{item.name:{width}}  {item.new.rows:>11,}  {item.new.total:016x}  equal")


def transfer(
    source: sa.Connection,
    target: sa.Connection,
    metadata: sa.MetaData,
    options: argparse.Namespace,
) -> str:
    """Copy, compare and commit; returns what to do next."""
    items = plan(metadata, source, target)
    check(source, target, items)
    counts = {item.name: count(source, item) for item in items}
    if options.dry_run:
        print("\n".join(f"{name}: {rows:,} rows" for name, rows in counts.items()))
        return "All checks passed and nothing is written: run it without --dry-run."
    size = options.batch_size
    total = 2 * sum(counts.values())
    with tqdm(total=total, unit=" rows", unit_scale=True, disable=None) as bar:
        with given_keys(target, items):
            copy(source, target, items, size, bar)
        read_back(target, items, size, bar)
    refuse_differences(source, target, items)
    commit(target)
    report(items)
    return (
        "All rows are copied. Start the service with the new DATABASE_URL, and keep the old"
        " database until you are sure."
    )


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(PASSWORD.sub(r"\1:***@", message))


def batch_size(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("it must be a number from 1")
    return int(text)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(usage=USAGE, description=__doc__, epilog=HELP, formatter_class=raw)
    for which in ("old", "new"):
        named = f"URL of the {which} database, as services take it in DATABASE_URL"
        parser.add_argument(which, type=database_url, metavar=which.upper(), help=named)
    rows = "rows to read and write at once, all of them in memory (default: %(default)s)"
    parser.add_argument("--batch-size", type=batch_size, default=1000, metavar="N", help=rows)
    dry = "check everything, count the rows and write nothing"
    parser.add_argument("--dry-run", action="store_true", help=dry)
    options = parser.parse_args(arguments)
    if not any(Path("app", name).is_file() for name in ("models.py", "models/__init__.py")):
        parser.error("there is no app/models.py here: run it in the service's folder")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    for number in STOPS:  # a shell's background job would ignore the first
        signal.signal(number, signal.default_int_handler)
    logging.disable(logging.WARNING)  # psycopg logs errors that are raised as well
    warnings.simplefilter("ignore", errors.SAWarning)  # of losses, which the comparison finds
    try:
        metadata = service_metadata()
        with connected(options.old, "old") as source, connected(options.new, "new") as target:
            print(transfer(source, target, metadata, options))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
    except errors.SQLAlchemyError as error:
        print(f"A database gave up: {reason(error)}. Nothing is written.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted. Nothing is written: run it again.", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
