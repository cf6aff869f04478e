"""Read-only sessions: what they return, what they reject, and when they hold a connection."""

from typing import Any

import pytest
from sqlalchemy import (
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    union,
)
from sqlalchemy.exc import InvalidRequestError, NoResultFound, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload
from uuid_utils.compat import uuid7

from app.core.database_errors import ErrorKind
from app.core.sessions import Reader
from app.database import Database
from app.settings import Settings
from tests.core.support import checked_out, recorded_statements
from tests.core.things import Thing

COUNT = select(func.count()).select_from(Thing)


@pytest.fixture
async def thing(session: AsyncSession) -> Thing:
    """A thing with two parts."""
    thing = Thing(name="x", parts=[Thing(name="y"), Thing(name="z")])
    session.add(thing)
    await session.commit()
    return thing


async def read_names(session: Reader) -> list[str]:
    return list(await session.scalars(select(Thing.name).order_by(Thing.name)))


async def test_function_that_reads_accepts_both_kinds_of_session(
    database: Database, thing: Thing
) -> None:
    async with database.write() as session:
        written = await read_names(session)
    async with database.read() as reading:
        assert await read_names(reading) == written == ["x", "y", "z"]


@pytest.mark.real_commits
async def test_rows_outlive_the_connection(database: Database, thing: Thing) -> None:
    statement = select(Thing).options(selectinload(Thing.parts)).where(Thing.name == "x")
    result = await database.read().execute(statement)
    assert checked_out(database) == 0
    [(found,)] = result.all()
    assert {part.name for part in found.parts} == {"y", "z"}
    assert checked_out(database) == 0


async def test_row_is_found_by_its_key(database: Database, thing: Thing) -> None:
    session = database.read()
    options = [selectinload(Thing.parts)]
    for found in (
        await session.get(Thing, thing.id, options=options),
        await session.get_one(Thing, thing.id, options=options),
    ):
        assert found is not None
        assert {part.name for part in found.parts} == {"y", "z"}


async def test_missing_row_is_none_or_an_error(database: Database) -> None:
    session = database.read()
    assert await session.get(Thing, uuid7()) is None
    with pytest.raises(NoResultFound):
        await session.get_one(Thing, uuid7())


async def test_parameters_are_passed_to_the_statement(database: Database, thing: Thing) -> None:
    statement = select(Thing.name).where(text("name = :name"))
    session = database.read()
    assert (await session.scalars(statement, {"name": "y"})).all() == ["y"]
    assert await session.scalar(statement, {"name": "z"}) == "z"
    assert await session.scalar(statement, {"name": "missing"}) is None


async def test_joined_collection_needs_unique(database: Database, thing: Thing) -> None:
    statement = select(Thing).options(joinedload(Thing.parts)).where(Thing.name == "x")
    [found] = (await database.read().scalars(statement)).unique()
    assert len(found.parts) == 2
    with pytest.raises(InvalidRequestError, match=r"unique\(\)"):
        (await database.read().scalars(statement)).all()


@pytest.mark.real_commits
async def test_each_statement_sees_what_is_committed_before_it(
    database: Database, session: AsyncSession
) -> None:
    async with database.read() as reading:
        assert await reading.scalar(COUNT) == 0
        session.add(Thing(name="x"))
        await session.commit()
        assert await reading.scalar(COUNT) == 1
        await session.execute(delete(Thing))
        await session.commit()
        assert await reading.scalar(COUNT) == 0


async def test_no_connection_is_held_between_statements(settings: Settings) -> None:
    database = Database(settings)
    async with database.read() as session:
        assert (await session.scalars(select(literal(1)))).all() == [1]
        assert checked_out(database) == 0
        assert (await session.execute(select(literal(1), literal(2)))).all() == [(1, 2)]
        assert checked_out(database) == 0
        with pytest.raises(SQLAlchemyError):
            await session.scalar(select(column("nothing")).select_from(table("nowhere")))
        assert checked_out(database) == 0
    await database.dispose()


@pytest.mark.parametrize(("kind", "attempts"), [(ErrorKind.CONFLICT, 2), (None, 1)])
async def test_read_is_repeated_once_after_a_conflict(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: ErrorKind | None, attempts: int
) -> None:
    monkeypatch.setattr("app.core.sessions.classify", lambda _: kind)
    database = Database(settings)
    # On MySQL, reads have an engine of their own.
    recording = recorded_statements(database, "read_engine")
    with recording as statements, pytest.raises(SQLAlchemyError):
        await database.read().scalar(select(column("nothing")).select_from(table("nowhere")))
    assert len(statements) == attempts
    assert checked_out(database) == 0
    await database.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        delete(Thing),
        insert(Thing).values(name="x"),
        select(Thing).from_statement(insert(Thing).values(name="x").returning(Thing)),
        select(Thing).from_statement(text("DELETE FROM things RETURNING *")),
        text("DELETE FROM things RETURNING id").columns(Thing.id),
        text("DELETE FROM things"),
        text("-- SELECT\n/* SELECT */ TRUNCATE things"),
        text("WITH gone AS (DELETE FROM things RETURNING id) SELECT id FROM gone"),
        text("SELECT * INTO copies FROM things"),
        text("SELECT 1; DROP TABLE things"),
    ],
    ids=str,
)
async def test_statement_that_writes_is_rejected(
    database: Database, thing: Thing, statement: Any
) -> None:
    session = database.read()
    with pytest.raises(RuntimeError, match="cannot write or lock rows: depend on Session"):
        await session.execute(statement)
    assert await session.scalar(COUNT) == 3


@pytest.mark.parametrize(
    "statement",
    [
        select(Thing).with_for_update(),
        select(Thing).with_for_update(skip_locked=True),
        union(select(Thing.id), select(Thing.id)).with_for_update(read=True),
        select(Thing).from_statement(select(Thing).with_for_update()),
        text("SELECT * FROM things FOR UPDATE"),
        text("SELECT * FROM things FOR KEY SHARE"),
        text("SELECT * FROM things LOCK IN SHARE MODE"),
    ],
    ids=["lock", "skip-locked", "union", "from", "text", "share", "mysql"],
)
async def test_statement_that_locks_rows_is_rejected(database: Database, statement: Any) -> None:
    with pytest.raises(RuntimeError, match="cannot write or lock rows: depend on Session"):
        await database.read().execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        union(select(literal(1)), select(literal(1))),
        text("SELECT 1 AS one").columns(column("one")),
        text("SELECT 1"),
        text("WITH one AS (SELECT 1 AS n) SELECT n FROM one"),
        text("-- do not update\nSELECT count(*) FROM things /* or; delete */ WHERE note <> 'into'"),
    ],
    ids=["union", "columns", "text", "cte", "quoted"],
)
async def test_union_and_textual_sql_are_read(
    database: Database, session: AsyncSession, statement: Any
) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    assert await database.read().scalar(statement) == 1
    assert (await database.read().scalars(statement)).all() == [1]


async def test_rows_of_textual_sql_become_objects(database: Database, thing: Thing) -> None:
    sql = text("SELECT * FROM things WHERE name = :name")
    statement = select(Thing).from_statement(sql)
    [found] = await database.read().scalars(statement, {"name": "y"})
    assert (found.name, found.parent_id) == ("y", thing.id)


@pytest.mark.parametrize("name", ["add", "flush", "commit", "stream", "connection", "run_sync"])
def test_read_session_has_no_method_that_writes_or_holds_a_connection(
    settings: Settings, name: str
) -> None:
    assert not hasattr(Database(settings).read(), name)
