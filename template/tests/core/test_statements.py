"""The observers of statements."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.core.engines import read_options
from app.core.listeners import OtherListeners, listen
from app.core.statements import (
    Observers,
    SessionRequired,
    Statement,
    events_of_statements,
    observers_of,
)
from app.database import Database
from app.settings import Settings
from tests.core.things import Thing

Seen = list[tuple[str, BaseException | None]]


def record(observers: Observers) -> Seen:
    """Return a list to which the observers add each statement that ends, and its exception."""
    seen: Seen = []
    begun: list[Statement] = []

    def note_end(statement: Statement, error: BaseException | None) -> None:
        assert begun.pop() is statement
        seen.append((statement.sql, error))

    observers.before.append(begun.append)
    observers.after.append(note_end)
    return seen


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A synchronous engine that needs no server."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.mark.usefixtures("app")
async def test_each_kind_of_execution_is_observed(settings: Settings) -> None:
    database = Database(settings)
    async with database.engine.connect() as connection:
        seen = record(observers_of(database.engine.sync_engine))
        await connection.execute(text("SELECT 1"))
        await connection.execute(insert(Thing), [{"name": "x"}, {"name": "y"}])
        await connection.execution_options(no_parameters=True)
        await connection.exec_driver_sql("SELECT 2")
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT nothing FROM nowhere"))
    await database.dispose()
    seen = [(sql, error) for sql, error in seen if not sql.startswith("BEGIN")]  # of SQLite
    first, second, third, (failed, error) = seen
    assert (first, third) == (("SELECT 1", None), ("SELECT 2", None))
    assert second[0].startswith("INSERT INTO things")
    assert failed == "SELECT nothing FROM nowhere"
    assert isinstance(error, database.engine.dialect.loaded_dbapi.Error)


def test_observer_can_prevent_an_execution(engine: Engine) -> None:
    def reject(statement: Statement) -> None:
        if "DROP" in statement.sql:
            raise RuntimeError

    observers = observers_of(engine)
    observers.before.append(reject)
    seen = record(observers)
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE kept (id INTEGER)"))
        with pytest.raises(RuntimeError):
            connection.execute(text("DROP TABLE kept"))
        connection.execute(text("SELECT id FROM kept"))
    assert [sql for sql, _ in seen] == ["CREATE TABLE kept (id INTEGER)", "SELECT id FROM kept"]


def test_engines_of_one_dialect_share_their_observers(engine: Engine) -> None:
    seen = record(observers_of(engine))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("SELECT 1"))
    assert seen == [("SELECT 1", None)]


@pytest.mark.usefixtures("app")
async def test_commit_is_observed_unless_nothing_is_sent(settings: Settings) -> None:
    database = Database(settings)
    seen = record(observers_of(database.engine.sync_engine))
    for options in ({}, read_options(settings)):
        async with database.engine.connect() as connection:
            await connection.execution_options(**options)
            await connection.execute(text("SELECT 1"))
            await connection.commit()
    await database.dispose()
    commits = 1 if options else 2  # with AUTOCOMMIT, there is no transaction
    assert [sql for sql, _ in seen].count("COMMIT") == commits


def test_failed_commit_is_observed(engine: Engine) -> None:
    seen = record(observers_of(engine))
    with engine.connect() as connection:
        connection.execute(text("PRAGMA foreign_keys = ON"))
        connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        deferred = "INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED"
        connection.execute(text(f"CREATE TABLE children (parent {deferred})"))
        connection.execute(text("INSERT INTO children VALUES (1)"))
        with pytest.raises(IntegrityError):
            connection.commit()
    sql, error = seen[-1]
    assert (sql, type(error).__name__) == ("COMMIT", "IntegrityError")


def test_statement_that_is_left_to_the_session_is_not_observed(engine: Engine) -> None:
    observers = observers_of(engine)
    ended: list[object] = []
    observers.after.append(lambda *each: ended.append(each))
    with (
        engine.connect() as connection,
        pytest.raises(SessionRequired),
        observers.reading("SELECT 1", (), connection),
    ):
        raise SessionRequired
    assert ended == []


@pytest.mark.parametrize("executes", [False, True])
def test_other_listeners_are_called_once(engine: Engine, executes: bool) -> None:
    calls: list[str] = []

    def execute(cursor: Any, statement: str, parameters: Any, _: object) -> bool:
        calls.append(statement)
        if executes:
            cursor.execute("SELECT 2", parameters)
        return executes

    seen = record(observers_of(engine))
    event.listen(engine, "do_execute", execute)
    event.listen(engine, "after_cursor_execute", lambda *args: calls.append(args[2]))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == (2 if executes else 1)
    assert calls == ["SELECT 1", "SELECT 1"]
    assert seen == [("SELECT 1", None)]


def test_statement_that_needs_no_engine_is_observed(engine: Engine) -> None:
    observers = observers_of(engine)
    seen = record(observers)
    with engine.connect() as connection:
        with observers.reading("SELECT 1", (), connection) as statement:
            assert (statement.only_reads, statement.is_dml) == (True, False)
        with pytest.raises(ValueError, match="x"), observers.reading("SELECT 2", (), connection):
            raise ValueError("x")
    assert [(sql, type(error)) for sql, error in seen] == [
        ("SELECT 1", type(None)),
        ("SELECT 2", ValueError),
    ]


@pytest.mark.parametrize(
    "name", ["before_cursor_execute", "engine_connect", "do_execute", "handle_error"]
)
def test_listener_that_would_miss_a_statement_is_noticed(engine: Engine, name: str) -> None:
    def listener(*_: object) -> None: ...

    observers_of(engine)
    listen(engine, "handle_error", lambda _: None)
    others = OtherListeners(events_of_statements(engine))
    assert not others.exist()
    event.listen(engine, name, listener)
    assert others.exist()
    event.remove(engine, name, listener)
    assert not others.exist()


def test_listener_in_place_of_our_own_is_noticed(engine: Engine) -> None:
    def own(*_: object) -> None: ...

    def other(*_: object) -> None: ...

    listen(engine, "handle_error", own)
    others = OtherListeners(events_of_statements(engine))
    assert not others.exist()
    event.listen(engine, "handle_error", other)
    event.remove(engine, "handle_error", own)
    assert others.exist()
