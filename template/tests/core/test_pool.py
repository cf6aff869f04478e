"""What is known of the connection pool, and of the server at the start."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.queue import Empty

from app.core.health import head_revisions
from app.core.pool import HandOffQueue, PoolStatus
from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.support import without_server


@pytest.fixture
def settings_of_one(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_pool_size": 1})


async def test_pool_is_shown_by_an_endpoint(client: AsyncClient, settings: Settings) -> None:
    pools = (await client.get("/health/pool")).json()
    assert pools
    for status in pools.values():
        assert status["size"] == settings.database_pool_size
        assert (status["overflow"], status["waiting"]) == (0, 0)


async def test_those_who_wait_are_counted(settings_of_one: Settings) -> None:
    database = Database(settings_of_one)

    def status() -> PoolStatus:
        return next(iter(database.pools.values()))

    async def use() -> None:
        async with database.write() as session:
            await session.execute(text("SELECT 1"))

    async with database.write() as session:
        await session.execute(text("SELECT 1"))
        assert (status().checked_out, status().waits) == (1, 0)
        waiter = asyncio.create_task(use())
        while status().waiting == 0:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0)
        assert (status().waiting, status().waits) == (1, 1)
    await waiter
    assert (status().waiting, status().waits, status().checked_out) == (0, 1, 0)
    assert status().waited_seconds >= 0
    await database.dispose()


async def two_waiters(queue: HandOffQueue) -> list[asyncio.Task[Any]]:
    waiters = [asyncio.create_task(greenlet_spawn(queue.get, True, 10)) for _ in range(2)]
    while len(queue.waiters) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    return waiters


async def test_those_who_have_waited_longest_are_served_first() -> None:
    queue = HandOffQueue()
    entry: Any = object()
    first, second = await two_waiters(queue)
    queue.put(entry)
    with pytest.raises(Empty):
        queue.get(False)  # a newcomer, before the first has woken up
    assert await first is entry
    assert not second.done()
    queue.put(entry)
    assert await second is entry


@pytest.mark.parametrize("is_late", [False, True])
async def test_connection_for_somebody_who_left_goes_to_the_next(is_late: bool) -> None:
    queue = HandOffQueue()
    entry: Any = object()
    leaving, patient = await two_waiters(queue)
    if not is_late:
        leaving.cancel()
    queue.put(entry)
    leaving.cancel()  # where it is late, this one has been handed the connection already
    assert await patient is entry
    assert leaving.cancelled()
    assert (len(queue.waiters), queue.qsize()) == (0, 0)


async def test_nobody_waits_for_longer_than_the_pool_allows() -> None:
    queue = HandOffQueue()
    with pytest.raises(Empty):
        await greenlet_spawn(queue.get, True, 0.01)
    assert len(queue.waiters) == 0


async def test_exhausted_pool_is_answered_in_time(settings_of_one: Settings) -> None:
    app = create_app(settings_of_one.model_copy(update={"database_pool_timeout": 0.05}))
    database: Database = app.state.database
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        async with AsyncExitStack() as held:
            for engine in set(database.engines.values()):
                await held.enter_async_context(engine.connect())
            response = await client.get("/health/ready")
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")


async def test_start_is_logged_with_database_driver_pool_and_schema(
    app: FastAPI, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app")
    another = create_app(settings)
    async with another.router.lifespan_context(another):
        pass
    [line] = [record.getMessage() for record in caplog.records if record.name == "app.factory"]
    engine = another.state.database.engine
    assert engine.dialect.driver in line
    assert f"pool: {settings.database_pool_size} " in line
    assert "(async)" in line
    assert f"schema: {', '.join(head_revisions())}, current" in line


async def test_service_starts_without_its_database(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(without_server(settings))
    async with app.router.lifespan_context(app):
        pass
    assert "Started without a database" in caplog.text
