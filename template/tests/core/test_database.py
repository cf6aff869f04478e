"""Sessions: when they commit, what they refuse, and what they give back."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import column, delete, func, literal, select, table
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload
from uuid_utils.compat import uuid7

from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.things import Thing, announced


async def test_failed_commit_is_not_answered_with_success(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: AsyncSession) -> None:
        raise PoolTimeout

    monkeypatch.setattr(AsyncSession, "commit", fail)
    response = await client.post("/things", json={"name": "Lost"})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"


async def test_request_that_fails_leaves_nothing_behind(
    client: AsyncClient, session: AsyncSession
) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    assert (await client.post("/things", json={"name": "x"})).status_code == 409
    assert await session.scalar(select(func.count()).select_from(Thing)) == 1


@pytest.mark.real_commits
async def test_answer_comes_after_the_commit(client: AsyncClient) -> None:
    created = await client.post("/things", json={"name": "Kept"})
    assert created.status_code == 201
    assert (await client.get(f"/things/{created.json()['id']}")).status_code == 200


@pytest.mark.real_commits
async def test_work_after_the_answer_sees_what_was_committed(client: AsyncClient) -> None:
    announced.clear()
    assert (await client.post("/things/announced", json={"name": "New"})).status_code == 201
    assert announced == ["New"]


@pytest.mark.real_commits
async def test_more_requests_than_connections_take_turns(
    client: AsyncClient, settings: Settings
) -> None:
    count = 3 * settings.database_pool_size
    names = [f"Thing {number}" for number in range(count)]
    creations = [client.post("/things", json={"name": name}) for name in names]
    created = await asyncio.gather(*creations)
    assert [response.status_code for response in created] == [201] * count


@pytest.mark.real_commits
async def test_every_connection_goes_back_to_the_pool(
    client: AsyncClient, database: Database
) -> None:
    await asyncio.gather(*(client.get("/things") for _ in range(10)))
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_read_session_refuses_to_write_rows(database: Database) -> None:
    async with database.read() as session:
        session.add(Thing(name="x"))
        with pytest.raises(RuntimeError, match="cannot write"):
            await session.flush()


async def test_read_session_refuses_statements_that_write(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(RuntimeError, match="cannot write"):
            await session.execute(delete(Thing))


async def test_read_session_holds_no_connection_between_queries(settings: Settings) -> None:
    database = Database(settings)
    session = database.read()

    def in_use() -> int:
        return sum(status.checked_out for status in database.pools.values())

    assert (await session.scalars(select(literal(1)))).all() == [1]
    assert in_use() == 0
    assert (await session.execute(select(literal(1), literal(2)))).all() == [(1, 2)]
    assert in_use() == 0
    with pytest.raises(SQLAlchemyError):
        await session.scalar(select(column("nothing")).select_from(table("nowhere")))
    assert in_use() == 0
    await database.dispose()


async def test_read_session_finds_rows_by_their_key(
    database: Database, session: AsyncSession
) -> None:
    thing = Thing(name="x", parts=[Thing(name="y")])
    session.add(thing)
    await session.commit()
    reading = database.read()
    options = [selectinload(Thing.parts)]
    found = await reading.get_one(Thing, thing.id, options=options)
    assert [part.name for part in found.parts] == ["y"]
    assert await reading.get(Thing, uuid7()) is None


async def test_read_session_wants_rows_of_a_joined_list_made_unique(
    database: Database, session: AsyncSession
) -> None:
    session.add(Thing(name="x", parts=[Thing(name="y"), Thing(name="z")]))
    await session.commit()
    statement = select(Thing).options(joinedload(Thing.parts)).where(Thing.name == "x")
    result = await database.read().scalars(statement)
    [found] = result.unique()
    assert len(found.parts) == 2
    with pytest.raises(InvalidRequestError, match=r"unique\(\)"):
        (await database.read().scalars(statement)).all()


async def test_read_session_refuses_what_would_hold_a_connection(database: Database) -> None:
    session = database.read()
    with pytest.raises(RuntimeError, match="cannot stream"):
        await session.stream(select(Thing))
    with pytest.raises(RuntimeError, match="keeps no connection"):
        await session.connection()


async def test_session_used_after_its_end_fails_instead_of_leaking(database: Database) -> None:
    async with database.write() as session:
        pass
    with pytest.raises(InvalidRequestError, match="permanently closed"):
        await session.scalar(select(Thing))


async def test_each_application_has_its_own_engine(app: FastAPI, settings: Settings) -> None:
    another = create_app(settings)
    assert another.state.database.engine is not app.state.database.engine


async def test_connections_are_closed_when_the_application_stops(settings: Settings) -> None:
    app = create_app(settings)
    database: Database = app.state.database
    async with app.router.lifespan_context(app):
        pool = database.engine.pool
        async with database.write() as session:
            await session.connection()
        assert pool.checkedin() == 1  # type: ignore[attr-defined]
    assert pool.checkedin() == 0  # type: ignore[attr-defined]
