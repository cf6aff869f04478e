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
"""Copy all rows of a service from its old database to its new one, and compare both."""

import argparse
import json
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from importlib import import_module
from itertools import islice
from pathlib import Path
from ssl import get_default_verify_paths
from types import NoneType
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import exc as errors
from sqlalchemy.schema import sort_tables_and_constraints
from tqdm import tqdm

USAGE = "uv run TOOL [options] OLD NEW"
HELP = """\
Run this in the service's folder. Before that, migrate the new database with `uv run alembic upgrade
head`, and stop all writes to the old one:

  TOOL=../copier-fastapi-async/tools/transfer.py
  uv run $TOOL sqlite:///my_service.db postgresql://me@host/my_service

All rows are written in one transaction, compared with the old database, and then committed. If the
command is interrupted, the new database stays empty, and you can run the command again.

Exit status: 0 if all rows were copied, 1 if they were not, 2 if the arguments are invalid.
"""
# The sync driver for each URL scheme; the part after a `+` is ignored.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",  # as in services: column types depend on the dialect's name
    "sqlite": "sqlite+pysqlite",
}
# Everything before several hosts, and the hosts. User and password contain no @.
HOSTS = re.compile(r"([^:]+://(?:[^:/@]*(?::[^@]*)?@)?)([^/?,]+,[^/?]*)")
# The session settings of services, but without their timeouts: big tables take long.
SESSION = {
    "postgresql": [
        "SET timezone = 'UTC'",
        "SET statement_timeout = 0",
        "SET lock_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
    ],
    "mysql": [
        # Without NO_AUTO_VALUE_ON_ZERO, MySQL replaces a key of 0.
        "SET SESSION sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00',"
        " wait_timeout = 28800, net_read_timeout = 3600, net_write_timeout = 3600,"
        " innodb_lock_wait_timeout = 600"
        # MariaDB executes the first comment, MySQL the second.
        " /*M!100101 , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */",
    ],
    "sqlite": ["PRAGMA foreign_keys = ON", "PRAGMA busy_timeout = 60000"],
}
READ_ONLY = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
# Two URLs with the same result refer to the same database.
IDENTITY = {
    "postgresql": "SELECT current_database(), current_schema(), pg_postmaster_start_time()",
    "mysql": "SELECT database(), @@hostname, @@port, @@datadir",
    "sqlite": "SELECT file FROM pragma_database_list WHERE name = 'main'",
}
MIGRATE = "`uv run alembic upgrade head`"
VERSION_TABLE = "alembic_version"
RESTARTED = "TRANSFER_RESTARTED"
DIFFERENCES_SHOWN = 5
STOPS = (signal.SIGINT, signal.SIGTERM)

PASSWORD = re.compile(r"(://[^:/@\s]*):\S*@")
# The parts of database messages that repeat a value.
VALUE = re.compile(r""" '.*'(?= for (?:key|col))| with text '.*'|: ".*"$| at row 1$""", re.DOTALL)
# Errors that a value can cause in the database, the driver or the column type.
BAD_VALUE = (errors.StatementError, ArithmeticError, LookupError, TypeError, ValueError)
LOCKED = {1205, 1213}  # MySQL's lock timeout and deadlock: not caused by a row

Row = Sequence[Any]
Bar = Any


class TransferError(Exception):
    """The message says why no rows were copied, and what to do."""


class Checksum:
    """A checksum of the rows of a table that does not depend on their order."""

    rows = total = 0

    def add(self, rows: list[list[Any]]) -> None:
        hashes = (blake2b(repr(row).encode(*UTF8), digest_size=8).digest() for row in rows)
        self.total = (self.total + sum(map(int.from_bytes, hashes))) % 2**64
        self.rows += len(rows)


class TableCopy:
    """The statements that copy a table, and the checksums of its old and new rows.

    The statements ignore the defaults of the columns: `onupdate` would change the copied values.
    """

    def __init__(self, table: sa.Table, deferred: list[str], dialects: list[sa.Dialect]) -> None:
        self.table = table
        self.name = table.fullname
        self.key = [column.name for column in table.primary_key]
        # Foreign keys to rows that may be inserted later: set after all rows are inserted.
        self.deferred = deferred
        self.old, self.new = Checksum(), Checksum()
        copied = [column for column in table.columns if column.computed is None]
        self.names = [column.name for column in copied]
        # Copied as text: in Python, NULL and JSON null are both None.
        self.json = {c.name for c in copied if all(is_json(c, dialect) for dialect in dialects)}
        types = [sa.types.NullType() if c.name in self.json else c.type for c in copied]
        columns = map(sa.column, self.names, types)
        self.clause = sa.table(table.name, *columns, schema=table.schema)
        self.columns = self.clause.columns
        self.select = sa.select(
            *(sa.cast(c, sa.Text).label(c.name) if c.name in self.json else c for c in self.columns)
        ).order_by(*(self.columns[name] for name in self.key))
        self.select_deferred = self.select.where(
            sa.or_(sa.false(), *(self.columns[name].is_not(None) for name in deferred))
        )
        self.insert = sa.insert(self.clause)

    def update(self) -> sa.Update:
        binds = {n: sa.bindparam(f"new {n}", type_=self.columns[n].type) for n in self.names}
        # Unchanged columns are listed too: otherwise ON UPDATE CURRENT_TIMESTAMP changes them.
        values = {n: binds[n] if n in self.deferred else self.columns[n] for n in self.names}
        row = (self.columns[name] == binds[name] for name in self.key)
        return sa.update(self.clause).where(*row).values(values)

    def insert_values(self, row: Row) -> dict[str, Any]:
        return dict(zip(self.names, row, strict=True)) | dict.fromkeys(self.deferred)

    def update_values(self, row: Row) -> dict[str, Any]:
        values = zip(self.names, row, strict=True)
        return {f"new {n}": value for n, value in values if n in self.deferred or n in self.key}

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[self.names.index(name)] for name in self.key)

    def shown(self, key: Row) -> str:
        pairs = ", ".join(f"{name}={value}" for name, value in zip(self.key, key, strict=True))
        return f"{self.name} {pairs or '(a row without a primary key)'}"

    def canonical(self, row: Row) -> list[Any]:
        """Return the values of a row in a form that is equal for every database."""
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
    if kind.__repr__ is object.__repr__:  # it contains a memory address
        return type(value).__name__, repr(vars(value))
    return value


def canonical_datetime(value: datetime) -> str:
    # A column without a time zone contains UTC.
    return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()


def canonical_float(value: float) -> float | int:
    return int(value) if value.is_integer() else value  # SQLite stores 2.0 as 2


def canonical_decimal(value: Decimal) -> str:
    text = f"{value:f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_json(text: str | None) -> str:
    if text is None:
        return "NULL"
    return json.dumps(json.loads(text, parse_float=json_float), sort_keys=True)


def json_float(text: str) -> float | int:
    return canonical_float(float(text))


PLAIN = {NoneType, bool, bytes, date, int, str, time, timedelta}
CANONICAL: dict[type, Any] = {
    Decimal: canonical_decimal,
    UUID: str,
    datetime: canonical_datetime,
    dict: lambda value: json.dumps(value, sort_keys=True, default=repr),
    float: canonical_float,
    memoryview: bytes,
    set: sorted,
}
UTF8 = ("utf-8", "surrogatepass")


def database_url(written: str) -> sa.URL:
    """Parse a URL and set its sync driver. Error messages never contain the URL."""
    scheme, separator, _ = written.partition("://")
    driver = DRIVERS.get(scheme.partition("+")[0])
    if not separator or driver is None:
        raise argparse.ArgumentTypeError("must start with sqlite://, postgresql:// or mysql://")
    hosts = HOSTS.match(written) if driver == "postgresql+psycopg" else None
    try:
        if hosts is None:
            url = sa.make_url(written)
        else:  # as in libpq; SQLAlchemy knows several hosts only as query parameters
            url = sa.make_url(hosts[1] + written[hosts.end() :])
            url = url.update_query_dict({"host": hosts[2].split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(
            "the port is not a number; in a password, write %40 for @ and %3A for :"
        ) from None
    if url.database in (None, "", ":memory:"):
        raise argparse.ArgumentTypeError("has no database name; end the URL with /name")
    query: dict[str, Any] = dict(url.query)
    if driver == "postgresql+psycopg":
        query = libpq_tls(query)
    if driver == "mysql+pymysql":
        query = {**pymysql_tls(query), "charset": "utf8mb4"}
    return url.set(drivername=driver, query=query)


def libpq_tls(query: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of libpq, whose TLS services also accept under other names."""
    if ssl := query.pop("ssl", None):
        query["sslmode"] = "require" if ssl == "true" else ssl
    if query.get("sslrootcert") == "system":
        query = {**query, "sslmode": "verify-full", "sslrootcert": trusted_authorities()}
    return query


def pymysql_tls(query: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of PyMySQL for the TLS that services accept."""
    query = {name.replace("-", "_"): value for name, value in query.items()}
    written = {name: query.pop(name, "") for name in ("ssl_mode", "ssl", "sslaccept")}
    mode = written["ssl_mode"].upper().replace("-", "_")
    if written["sslaccept"] == "strict" or "true}" in written["ssl"]:
        mode = "VERIFY_IDENTITY"
    elif written["sslaccept"] or written["ssl"]:
        mode = mode or "REQUIRED"
    if mode.startswith("VERIFY") and "ssl_ca" not in query:
        query["ssl_ca"] = trusted_authorities()
    if mode in {"REQUIRED", "VERIFY_CA"}:
        query["ssl_check_hostname"] = "false"  # without `ssl_ca`, it encrypts and verifies nothing
    return query


def trusted_authorities() -> str:
    """Return the file of the certificate authorities that this machine trusts."""
    paths = get_default_verify_paths()
    candidates = (paths.cafile, f"{paths.capath}/ca-certificates.crt")
    found = next((path for path in candidates if path and Path(path).is_file()), None)
    if found is None:
        raise argparse.ArgumentTypeError("requires sslrootcert or ssl-ca with a file")
    return found


def shown(url: sa.URL) -> str:
    """Return the URL without its driver, password and options."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


@contextmanager
def connected(url: sa.URL, which: str) -> Iterator[sa.Connection]:
    """Connect to the old or the new database; roll back what is not committed."""
    old = which == "old"
    kind = url.get_backend_name()
    options = {"isolation_level": "REPEATABLE READ" if old else "READ COMMITTED"}
    if kind == "sqlite":
        options = {}
        if "uri" not in url.query and not Path(url.database or "").is_file():
            advice = "Correct its URL." if old else f"Create it with {MIGRATE}."
            raise TransferError(f"The {which} database {shown(url)} does not exist. {advice}")
    engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool, **options)

    @sa.event.listens_for(engine, "connect")
    def set_session(connection: Any, _: object) -> None:
        if kind == "sqlite":
            connection.isolation_level = None  # disable the driver's implicit BEGIN
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
        raise TransferError(
            f"Cannot connect to the {which} database {shown(url)}: {reason(error)}. Check the URL"
            " and that the server is running."
        ) from None
    with connection:
        yield connection


def reason(error: BaseException) -> str:
    """Return the message of the database or of Python, without the value."""
    original = getattr(error, "orig", None) or error
    message = getattr(getattr(original, "diag", None), "message_primary", None)
    message = message or str((original.args or [type(original).__name__])[-1])
    return VALUE.sub("", " ".join(message.split())).removesuffix(".")


def service_metadata() -> sa.MetaData:
    """Import the models of the service in the current folder."""
    sys.path.insert(0, str(Path.cwd()))
    # `Base` is in app.core since release 2.0.0 of the template.
    base = "app.core.models" if Path("app", "core", "models.py").is_file() else "app.models"
    try:
        import_module("app.models")  # registers the tables
        metadata: sa.MetaData = import_module(base).Base.metadata
        return metadata
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "app":
            restart_in_service()
            raise TransferError(
                f"app.models needs the module {error.name}, which is not installed. Add its"
                " package to the service."
            ) from None
        raise TransferError(f"Cannot import app.models: {error}. Fix this error first.") from None
    except Exception as error:
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise TransferError(f"Cannot import app.models: {message}. Fix this error first.") from None


def restart_in_service() -> None:
    """Restart in the service's environment; `uv run` started this script in its own."""
    if RESTARTED in os.environ or not (uv := os.environ.get("UV")):
        return
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = [uv, "run", "--with-requirements", __file__, "python", __file__, *sys.argv[1:]]
    os.execve(uv, command, variables | {RESTARTED: "1"})


def plan(metadata: sa.MetaData, *connections: sa.Connection) -> list[TableCopy]:
    """Order the tables so that referenced rows are inserted first."""
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
        raise TransferError(
            f"NOT NULL foreign keys form a cycle in {names}, so no row can be inserted first. Make"
            " one of them nullable, with a migration of both databases."
        ) from None
    position = {table: index for index, (table, _) in enumerate(ordered) if table is not None}
    late = [key for key in references if position[key.referred_table] >= position[key.table]]
    for key in late:
        if not key.table.primary_key:
            raise TransferError(
                f"The table {key.table} references rows that are inserted later, but it has no"
                " primary key. Add one, with a migration of both databases."
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
    """Raise an error if the rows cannot be copied; print a warning about what is not copied."""
    if identity(source) == identity(target):
        raise TransferError("Both URLs refer to the same database. Correct one of them.")
    if missing := missing_from(target, items):
        raise TransferError(
            f"The new database is missing {missing}. Run {MIGRATE} with its URL in DATABASE_URL."
        )
    revisions = revisions_of(source), revisions_of(target)
    if revisions[0] != revisions[1]:
        raise TransferError(
            f"The old database is at revision {revisions[0]}, the new one at {revisions[1]}. Run"
            f" {MIGRATE} for both. For the old one, use the service as it was before the switch."
        )
    if missing := missing_from(source, items):
        raise TransferError(
            f"The old database is missing {missing}. Run {MIGRATE} for it, with the service as it"
            " was before the switch."
        )
    if names := not_in_models(source, items, views(target)):
        print(f"Not copied, because app.models does not define it: {names}.", file=sys.stderr)
    filled = [f"{item.name} ({in_rows(n)})" for item in items if (n := count(target, item))]
    if filled and not any(count(source, item) for item in items):
        raise TransferError(
            f"The old database {shown(source.engine.url)} is empty, but the new database"
            f" {shown(target.engine.url)} is not: {', '.join(filled)}. Swap the URLs: the first one"
            " is the old database."
        )
    if filled:
        raise TransferError(
            f"The new database {shown(target.engine.url)} is not empty: {', '.join(filled)}. If"
            " these are the copied rows, you are done. Otherwise create an empty database and run"
            f" {MIGRATE}. Do not start the service before the rows are copied."
        )


def identity(connection: sa.Connection) -> tuple[Any, ...]:
    return tuple(connection.execute(sa.text(IDENTITY[connection.dialect.name])).one())


def missing_from(connection: sa.Connection, items: list[TableCopy]) -> str:
    missing = []
    for item in items:
        existing = existing_columns(connection, item.table.name, item.table.schema)
        if not existing:
            missing.append(f"the table {item.name}")
        else:
            missing += [f"the column {item.name}.{n}" for n in item.names if n not in existing]
    return ", ".join(missing)


def views(connection: sa.Connection) -> set[str]:
    """The names of views, which have no rows of their own."""
    inspector = sa.inspect(connection)
    names = {*inspector.get_view_names()}
    if connection.dialect.name == "postgresql":  # no other one has materialized views
        names |= {*inspector.get_materialized_view_names()}
    return names


def not_in_models(
    connection: sa.Connection, items: list[TableCopy], derived: Collection[str]
) -> str:
    """The tables and columns that are not copied, except for tables that the target derives."""
    known = {item.table.name: item.table.columns for item in items if not item.table.schema}
    unknown = []
    for table in sorted(sa.inspect(connection).get_table_names()):
        if table in known:
            columns = existing_columns(connection, table)
            unknown += [
                f"the column {table}.{name}" for name in columns if name not in known[table]
            ]
        elif table != VERSION_TABLE and table not in derived:
            unknown.append(f"the table {table}")
    return ", ".join(unknown)


def existing_columns(connection: sa.Connection, table: str, schema: str | None = None) -> list[str]:
    inspector = sa.inspect(connection)
    if not inspector.has_table(table, schema):
        return []
    return [column["name"] for column in inspector.get_columns(table, schema)]


def revisions_of(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return "none"
    revisions = connection.scalars(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return ", ".join(sorted(revisions)) or "none"


def in_rows(number: int) -> str:
    return f"{number:,} row" + "s" * (number != 1)


def count(connection: sa.Connection, item: TableCopy) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(item.clause)) or 0


def read(
    connection: sa.Connection, item: TableCopy, query: sa.Select[Any], size: int
) -> Iterator[Sequence[Row]]:
    """Yield the rows in batches; only one batch is in memory at a time."""
    done = 0
    try:
        with connection.execute(query, execution_options={"yield_per": size}) as result:
            for batch in result.partitions():
                yield batch
                done += len(batch)
    except BAD_VALUE as error:
        raise_for_unreadable_row(connection, item, query, error, range(done, done + size))


def raise_for_unreadable_row(
    connection: sa.Connection, item: TableCopy, query: sa.Select[Any], error: Exception, rows: range
) -> NoReturn:
    """Find, by bisection, the row with a value that its column type cannot read."""
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
    raise TransferError(f"{row} cannot be read: {reason(error)}. Correct it in the old database.")


def write(
    connection: sa.Connection, item: TableCopy, statement: sa.Insert | sa.Update, rows: list[Row]
) -> None:
    """Write a batch of rows; if that fails, find the row that the database rejects."""
    values = item.insert_values if statement.is_insert else item.update_values
    try:
        with connection.begin_nested():
            connection.execute(statement, [values(row) for row in rows])
    except BAD_VALUE as error:
        if is_database_failure(connection, error):
            raise
        if len(rows) == 1:
            raise TransferError(
                f"The new database rejects {item.shown(item.key_of(rows[0]))}: {reason(error)}."
                " Correct or delete this row in the old database."
            ) from None
        write(connection, item, statement, rows[: len(rows) // 2])
        write(connection, item, statement, rows[len(rows) // 2 :])


def is_database_failure(connection: sa.Connection, error: Exception) -> bool:
    code = next(iter(getattr(getattr(error, "orig", None), "args", ())), None)
    if connection.invalidated or code in LOCKED:
        return True
    # A full disk ends SQLite's transaction: later statements would each commit on their own.
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
def explicit_keys(target: sa.Connection, items: list[TableCopy]) -> Iterator[None]:
    """Allow copied values in PostgreSQL's generated keys, then advance their sequences."""
    if target.dialect.name != "postgresql":
        yield
        return
    target.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # reports the row that fails
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
    """Yield a line for each row that differs, with the names of the columns that differ."""
    key = sa.tuple_(*(item.columns[name] for name in item.key))
    for rows in read(source, item, item.select, 500) if item.key else ():
        found = item.select.where(key.in_([item.key_of(row) for row in rows]))
        copies = [(row, item.canonical(row)) for row in target.execute(found)]
        by_key = {repr(item.key_of(values)): values for _, values in copies}
        for row in rows:
            values = item.canonical(row)
            copied = by_key.get(repr(item.key_of(values)))
            pairs = zip(item.names, values, copied or values, strict=True)
            changed = ", ".join(name for name, old, new in pairs if repr(old) != repr(new))
            if changed or copied is None:
                what = f"differs in {changed}" if copied else "is missing"
                yield f"  {item.shown(item.key_of(row))} {what}"


def raise_for_differences(
    source: sa.Connection, target: sa.Connection, items: list[TableCopy]
) -> None:
    found = []
    for item in items:
        if (item.old.rows, item.old.total) != (item.new.rows, item.new.total):
            old, new = in_rows(item.old.rows), in_rows(item.new.rows)
            found.append(f"{item.name}: {old} in the old database, {new} in the new one")
            found += islice(differences(source, target, item), DIFFERENCES_SHOWN)
    if found:
        raise TransferError(
            "The copied rows differ from the old ones, so nothing was committed. Correct these rows"
            " in the old database, or change the column types:\n" + "\n".join(found)
        )


def commit(target: sa.Connection) -> None:
    # An interruption here would leave it unknown whether the rows were committed.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    try:
        target.commit()
    except errors.DBAPIError as error:
        raise TransferError(
            f"The commit failed: {reason(error)}. The new database has either all rows or none. Run"
            " this command again to find out."
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
    """Copy, compare and commit the rows. Return the final message."""
    items = plan(metadata, source, target)
    check(source, target, items)
    counts = {item.name: count(source, item) for item in items}
    if options.dry_run:
        print("\n".join(f"{name}: {in_rows(rows)}" for name, rows in counts.items()))
        return "All checks passed. Nothing was written. Now run this without --dry-run."
    size = options.batch_size
    total = 2 * sum(counts.values())
    with tqdm(total=total, unit=" rows", unit_scale=True, disable=None) as bar:
        with explicit_keys(target, items):
            copy(source, target, items, size, bar)
        read_back(target, items, size, bar)
    raise_for_differences(source, target, items)
    commit(target)
    report(items)
    return (
        "All rows were copied and compared. Now start the service with the new DATABASE_URL. Keep"
        " the old database until you are sure that you no longer need it."
    )


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(PASSWORD.sub(r"\1:***@", message))


def batch_size(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("must be a positive integer")
    return int(text)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(usage=USAGE, description=__doc__, epilog=HELP, formatter_class=raw)
    for which in ("old", "new"):
        url = f"URL of the {which} database, in any form that DATABASE_URL accepts"
        parser.add_argument(which, type=database_url, metavar=which.upper(), help=url)
    size = "number of rows to hold in memory at a time (default: %(default)s)"
    parser.add_argument("--batch-size", type=batch_size, default=1000, metavar="N", help=size)
    dry_run = "run all checks and count the rows, but write nothing"
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    options = parser.parse_args(arguments)
    if not any(Path("app", name).is_file() for name in ("models.py", "models/__init__.py")):
        parser.error("app/models.py not found; run this in the service's folder")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    for number in STOPS:  # background jobs of a shell ignore SIGINT by default
        signal.signal(number, signal.default_int_handler)
    logging.disable(logging.WARNING)  # psycopg logs errors that it also raises
    # They are about lost precision, which the comparison detects.
    warnings.simplefilter("ignore", errors.SAWarning)
    try:
        metadata = service_metadata()
        with connected(options.old, "old") as source, connected(options.new, "new") as target:
            print(transfer(source, target, metadata, options))
    except TransferError as error:
        print(error, file=sys.stderr)
    except errors.SQLAlchemyError as error:
        print(f"Database error: {reason(error)}. Nothing was written.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted. Nothing was written. Run this command again.", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
