"""Sessions that write, their transactions, and the engines of an application."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import Engine, delete, event, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database, Session
from app.factory import create_app
from app.settings import Settings
from tests.core.support import checked_out, commits_and_responses
from tests.core.things import Thing, looked_up


async def test_failed_commit_is_an_error_response(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: AsyncSession) -> None:
        raise PoolTimeout

    monkeypatch.setattr(AsyncSession, "commit", fail)
    response = await client.post("/things", json={"name": "Lost"})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["retry-after"] == "1"


async def test_failed_request_is_rolled_back(client: AsyncClient, session: AsyncSession) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    assert (await client.post("/things", json={"name": "x"})).status_code == 409
    assert await session.scalar(select(func.count()).select_from(Thing)) == 1


@pytest.mark.real_commits
async def test_response_is_sent_after_the_commit(app: FastAPI, database: Database) -> None:
    events = await commits_and_responses(app, "POST", "/things", json={"name": "x"})
    assert events == ["commit", "http.response.start", "http.response.body"]


async def test_each_pool_is_closed_once(settings: Settings) -> None:
    database = Database(settings)
    disposed: list[Engine] = []
    for engine in {database.engine.sync_engine, database.read_engine.sync_engine}:
        event.listen(engine, "engine_disposed", disposed.append)
    await database.dispose()
    assert len(disposed) == len(database.pools)


async def test_session_that_is_not_used_is_not_committed(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/unused")
    async def ignore(session: Session) -> None: ...

    events = await commits_and_responses(app, "GET", "/unused")
    assert events == ["http.response.start", "http.response.body"]


@pytest.mark.real_commits
async def test_background_task_sees_what_was_committed(client: AsyncClient) -> None:
    looked_up.clear()
    assert (await client.post("/things/announced", json={"name": "New"})).status_code == 201
    assert looked_up == ["New"]


@pytest.mark.real_commits
async def test_more_requests_than_connections_succeed(
    client: AsyncClient, settings: Settings
) -> None:
    count = 3 * settings.database_pool_size
    names = [f"Thing {number}" for number in range(count)]
    creations = [client.post("/things", json={"name": name}) for name in names]
    created = await asyncio.gather(*creations)
    assert [response.status_code for response in created] == [201] * count


@pytest.mark.real_commits
async def test_every_connection_is_returned_to_the_pool(
    client: AsyncClient, database: Database
) -> None:
    await asyncio.gather(*(client.get("/things") for _ in range(10)))
    await asyncio.gather(*(client.post("/things", json={"name": "x"}) for _ in range(3)))
    assert checked_out(database) == 0


@pytest.mark.real_commits
async def test_attributes_stay_readable_after_a_commit(database: Database) -> None:
    async with database.write() as session:
        thing = Thing(name="x")
        session.add(thing)
        await session.commit()
        await session.execute(delete(Thing))
        await session.commit()
    assert thing.name == "x"


async def test_closed_session_cannot_be_used(database: Database) -> None:
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
