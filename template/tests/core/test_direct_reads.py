"""Reads that go straight to the driver: they return and raise what the session would."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import (
    Integer,
    String,
    TypeDecorator,
    bindparam,
    column,
    event,
    func,
    inspect,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.exc import InvalidRequestError, NoResultFound, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    Bundle,
    Session,
    aliased,
    defer,
    selectinload,
    subqueryload,
    with_loader_criteria,
)
from uuid_utils.compat import uuid7

from app.core.listeners import listen
from app.core.models import Base, utc_now
from app.core.sessions import ReadOnlySession
from app.core.statements import SessionRequired
from app.database import Database
from app.settings import Settings
from tests.core.both_ways import compare, direct_reads, read_both_ways
from tests.core.ignored_listeners import ignored_listeners
from tests.core.sample_rows import insert_sample_rows
from tests.core.support import checked_out, recorded_statements
from tests.core.things import Thing, ThingsBase

pytestmark = pytest.mark.real_commits

BY_NAME = select(Thing).where(Thing.name == bindparam("name"))
FIRST = select(Thing).order_by(Thing.name).limit(bindparam("limit", type_=Integer))
Part = aliased(Thing, name="part")


class Uncached(TypeDecorator[str]):
    """A type that prevents the caching of its statements."""

    impl = String
    cache_ok = False


@pytest.fixture(autouse=True)
def _ignored_listeners(database: Database) -> Iterator[None]:
    with ignored_listeners(database):
        yield


@pytest.fixture
async def thing(session: AsyncSession) -> Thing:
    """A thing with two parts."""
    thing = Thing(name="x", data=b"\x00", parts=[Thing(name="y", size=2), Thing(name="z")])
    session.add(thing)
    await session.commit()
    return thing


async def test_each_model_is_read_alike(database: Database) -> None:
    """The contract of direct reads.

    If a model of yours fails, `Described` shows what differs. Until it is fixed,
    DATABASE_DIRECT_READS=false turns direct reads off.
    """
    async with database.engine.begin() as connection:
        await connection.run_sync(insert_sample_rows)
    for mapper in (*Base.registry.mappers, *ThingsBase.registry.mappers):
        await read_both_ways(database, select(mapper.class_))


@pytest.mark.parametrize(
    "statement",
    [
        select(Thing).order_by(Thing.name).limit(2),
        select(Thing).where(Thing.name.in_(["x", "z", "missing"])),
        select(Thing).where(Thing.seen_at.in_([utc_now()])),
        select(Thing).where(Thing.name == "missing"),
        select(Thing, Part).outerjoin(Part, Thing.parent_id == Part.id).order_by(Thing.name),
        select(Part).join(Thing, Thing.id == Part.parent_id).distinct(),
        select(Thing.name, Thing.seen_at.label("seen"), func.length(Thing.name)),
        select(Thing.size, func.count()).group_by(Thing.size).order_by(Thing.size),
        select(Thing).options(selectinload(Thing.parts)).order_by(Thing.name),
    ],
    ids=[
        *("page", "list", "converted", "nothing", "objects", "alias", "columns", "aggregate"),
        "collection",
    ],
)
async def test_plan_returns_what_the_session_returns(
    database: Database, thing: Thing, statement: Any
) -> None:
    assert await read_both_ways(database, statement)


@pytest.mark.parametrize(
    "statement",
    [
        select(Thing, Thing.name).options(selectinload(Thing.parts)),
        select(Thing).options(selectinload(Thing.parts).selectinload(Thing.parts)),
        select(Thing).options(subqueryload(Thing.parts)),
        select(Thing).options(defer(Thing.note)),
        select(Thing).options(with_loader_criteria(Thing, Thing.size > 0)),
        select(Thing).execution_options(populate_existing=True),
        select(Thing).from_statement(select(Thing)),
        select(Bundle("both", Thing.name, Thing.size)),
        select(aliased(Thing, select(Thing.id, Thing.name).subquery())),
        select(literal_column("*")).select_from(Thing),
        select(literal(1)),
        select(type_coerce(Thing.name, Uncached)).where(Thing.name == "x"),
    ],
    ids=[
        "several",
        "nested",
        "eager",
        "deferred",
        "criteria",
        "options",
        "from",
        "bundle",
        "part",
        "star",
        "core",
        "uncached",
    ],
)
async def test_what_has_no_plan_is_read_by_the_session(
    database: Database, thing: Thing, statement: Any
) -> None:
    assert not await read_both_ways(database, statement)


async def test_row_is_found_by_its_columns(database: Database, thing: Thing) -> None:
    count = func.count()
    statement = select(Thing.size, count).group_by(Thing.size).order_by(Thing.size)
    for _ in range(2):
        row = (await database.read().execute(statement)).first()
        assert row is not None
        values = row._mapping  # noqa: SLF001
        assert (row.size, values[Thing.size], values[count]) == (1, 1, 2)


async def test_unique_rows_cannot_be_read_in_parts(database: Database, thing: Thing) -> None:
    def consume(result: Any) -> Any:
        return result.yield_per(1).unique().all()

    assert await read_both_ways(database, select(Thing), consume=consume)
    with pytest.raises(InvalidRequestError, match="yield_per"):
        consume(await database.read().execute(select(Thing)))


@pytest.mark.parametrize(
    "key",
    [
        *("thing.id", "uuid7()", "(thing.id,)", "None", "[[]]", "{'id': 1}", "(1, 2)"),
        *("literal(1)", "Thing.id"),
    ],
)
async def test_row_is_found_by_its_key_in_both_ways(
    database: Database, thing: Thing, key: str
) -> None:
    names = {"Thing": Thing, "literal": literal, "thing": thing, "uuid7": uuid7}
    ident = eval(key, names)  # noqa: S307

    async def get(session: ReadOnlySession) -> Thing | None:
        return await session.get(Thing, ident)

    assert await compare(database, get) is (key in {"thing.id", "uuid7()", "(thing.id,)"})


async def test_missing_row_is_an_error_in_both_ways(database: Database) -> None:
    async def get_one(session: ReadOnlySession) -> Thing:
        return await session.get_one(Thing, uuid7())

    assert await compare(database, get_one)
    with pytest.raises(NoResultFound):
        await get_one(database.read())


@pytest.mark.parametrize("load", [selectinload, subqueryload])
async def test_row_is_found_by_its_key_with_a_collection(
    database: Database, thing: Thing, load: Any
) -> None:
    async def get(session: ReadOnlySession) -> Thing | None:
        return await session.get(Thing, thing.id, options=[load(Thing.parts)])

    assert await compare(database, get) is (load is selectinload)


async def test_collection_is_read_directly_once_a_row_has_one(
    settings: Settings, thing: Thing
) -> None:
    database = Database(settings)
    statement = BY_NAME.options(selectinload(Thing.parts))
    for name, is_direct in (("missing", False), ("x", True), ("missing", True), ("y", True)):
        assert await read_both_ways(database, statement, {"name": name}) is is_direct
    await database.dispose()


@pytest.mark.parametrize("entity", [Uncached, []])
async def test_what_is_no_model_has_no_row_in_both_ways(database: Database, entity: Any) -> None:
    async def get(session: ReadOnlySession) -> Any:
        return await session.get(entity, 1)

    assert not await compare(database, get)


async def counted_reads(client: AsyncClient) -> tuple[int, int]:
    """Return `direct_reads` and `session_reads` of all pools."""
    pools = (await client.get("/health/pool")).json().values()
    return (
        sum(pool["direct_reads"] for pool in pools),
        sum(pool["session_reads"] for pool in pools),
    )


async def test_both_ways_are_counted(client: AsyncClient, database: Database, thing: Thing) -> None:
    statement = BY_NAME.where(Thing.size > 0)
    direct, by_session = await counted_reads(client)
    for name in ("x", "y", "missing"):
        await database.read().scalar(statement, {"name": name})
    await database.read().get(Thing, thing.id, options=[subqueryload(Thing.parts)])
    assert await counted_reads(client) == (direct + 2, by_session + 2)


async def test_session_reads_everything_with_direct_reads_turned_off(
    app: FastAPI, settings: Settings, client: AsyncClient, database: Database, thing: Thing
) -> None:
    off = Database(settings.model_copy(update={"database_direct_reads": False}))
    app.state.database = off
    try:
        for _ in range(2):
            assert await off.read().scalar(BY_NAME, {"name": "x"})
            assert await off.read().get(Thing, thing.id)
        assert await counted_reads(client) == (0, 4)
    finally:
        app.state.database = database
        await off.dispose()


@contextmanager
def listening(target: Any, name: str) -> Iterator[list[object]]:
    """Yield a list of the events that arrive."""
    events: list[object] = []

    def note(*arguments: Any) -> None:
        events.append(arguments)

    event.listen(target, name, note)
    yield events
    event.remove(target, name, note)


@pytest.mark.parametrize(
    "name", ["after_transaction_end", "do_orm_execute", "loaded_as_persistent", "load"]
)
async def test_listeners_of_the_orm_see_every_read(
    database: Database, thing: Thing, name: str
) -> None:
    await read_both_ways(database, BY_NAME, {"name": "x"})
    with listening(Thing if name == "load" else Session, name) as events:
        assert not await read_both_ways(database, BY_NAME, {"name": "x"})
        assert events
    assert await read_both_ways(database, BY_NAME, {"name": "x"})


async def test_listeners_of_the_engine_and_the_log_see_every_read(
    database: Database, thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    await read_both_ways(database, BY_NAME, {"name": "x"})
    with recorded_statements(database, "read_engine") as statements:
        assert await database.read().scalar(BY_NAME, {"name": "x"})
    assert len(statements) == 1
    with caplog.at_level(logging.INFO, "sqlalchemy.engine"):
        assert await database.read().scalar(BY_NAME, {"name": "x"})
    assert "FROM things" in caplog.text


async def test_error_is_that_of_the_session(database: Database, thing: Thing) -> None:
    assert await read_both_ways(database, FIRST, {"limit": 1})
    before = direct_reads(database)
    assert await read_both_ways(database, FIRST, {"limit": 10**30})
    assert direct_reads(database) == before + 3
    assert await read_both_ways(database, FIRST, {"limit": 2})


async def test_each_read_is_in_the_slow_query_log_once(
    settings: Settings, thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(settings.model_copy(update={"slow_query_seconds": 1e-9}))
    for limit in (1, 2):
        await database.read().execute(FIRST, {"limit": limit})
    with pytest.raises(SQLAlchemyError):
        await database.read().execute(FIRST, {"limit": 10**30})
    assert direct_reads(database) == 2
    lines = [line for line in caplog.messages if "FROM things" in line]
    assert ["(failed)" in line for line in lines] == [False, False, True]
    await database.dispose()


async def test_both_statements_of_a_collection_are_in_the_slow_query_log(
    settings: Settings, thing: Thing, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(settings.model_copy(update={"slow_query_seconds": 1e-9}))
    for _ in range(2):
        await database.read().get(Thing, thing.id, options=[selectinload(Thing.parts)])
    assert direct_reads(database) == 1
    lines = [line.split("FROM")[1] for line in caplog.messages if "FROM things" in line]
    assert len(lines) == 4
    assert lines[:2] == lines[2:]
    await database.dispose()


async def test_session_reads_what_the_driver_does_not(
    database: Database, thing: Thing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def require_session(*_: Any) -> Any:
        raise SessionRequired

    await read_both_ways(database, FIRST, {"limit": 1})
    monkeypatch.setattr(database.read_primary.keywords["direct"], "_fetch", require_session)
    assert not await read_both_ways(database, FIRST, {"limit": 1})


async def test_value_that_cannot_be_bound_is_an_error_of_the_session(
    database: Database, thing: Thing
) -> None:
    statement = select(Thing).where(Thing.seen_at > bindparam("time"))
    await read_both_ways(database, statement, {"time": thing.seen_at})
    assert not await read_both_ways(
        database, statement, {"time": thing.seen_at.replace(tzinfo=None)}
    )
    assert not await read_both_ways(database, statement)
    values: Any = {"time": thing.seen_at, 1: "not a name"}
    assert not await read_both_ways(database, statement, values)


async def test_connection_is_closed_if_the_error_demands_it(
    settings: Settings, thing: Thing
) -> None:
    database = Database(settings.model_copy(update={"database_pool_size": 1}))

    def lose(context: Any) -> None:
        context.is_disconnect = True

    listen(database.read_engine.sync_engine, "handle_error", lose)
    closed: list[object] = []
    event.listen(database.read_engine.sync_engine, "invalidate", lambda *_: closed.append(1))
    assert await database.read().scalar(FIRST, {"limit": 1})
    with pytest.raises(SQLAlchemyError):
        await database.read().scalar(FIRST, {"limit": 10**30})
    assert len(closed) == 1
    assert checked_out(database) == 0
    assert await database.read().scalar(FIRST, {"limit": 1})
    await database.dispose()


async def test_objects_are_detached_and_raise_for_what_is_not_loaded(
    database: Database, thing: Thing
) -> None:
    for _ in range(2):
        found = await database.read().scalar(BY_NAME, {"name": "x"})
        assert found is not None
        assert inspect(found).detached
        with pytest.raises(InvalidRequestError, match="raise"):
            _ = found.parts
        found.name = "changed"
        assert inspect(found).attrs.name.history.deleted == ["x"]


async def test_column_without_a_table_is_read_in_both_ways(database: Database) -> None:
    assert not await read_both_ways(database, select(column("nothing")))
