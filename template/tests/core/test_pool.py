"""The connection pool: its order, its limits and its state."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import text
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.queue import Empty

from app.core.pool import HandOffQueue, PoolStatus
from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of


@pytest.fixture
def one_connection(settings: Settings) -> Settings:
    """Settings whose pools have one connection."""
    return settings.model_copy(update={"database_pool_size": 1})


def status_of(database: Database) -> PoolStatus:
    return next(iter(database.pools.values()))


async def run_until_waiting() -> None:
    """Let other tasks run until they wait for a connection: that needs neither time nor I/O."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_endpoint_reports_the_pools(client: AsyncClient, settings: Settings) -> None:
    pools = (await client.get("/health/pool")).json()
    assert pools
    for status in pools.values():
        assert status["size"] == settings.database_pool_size
        assert (status["overflow"], status["waiting"]) == (0, 0)


async def test_waits_are_counted(one_connection: Settings) -> None:
    database = Database(one_connection)

    async def use() -> None:
        async with database.write() as session:
            await session.execute(text("SELECT 1"))

    async with database.write() as session:
        await session.execute(text("SELECT 1"))
        status = status_of(database)
        assert (status.checked_out, status.waits) == (1, 0)
        waiter = asyncio.create_task(use())
        await run_until_waiting()
        status = status_of(database)
        assert (status.waiting, status.waits) == (1, 1)
        await asyncio.sleep(0.02)
    await waiter
    status = status_of(database)
    assert (status.waiting, status.waits, status.checked_out) == (0, 1, 0)
    assert status.waited_seconds > 0.01
    await database.dispose()


async def test_longest_waiter_gets_the_next_connection(one_connection: Settings) -> None:
    database = Database(one_connection)
    order: list[int] = []

    async def use(number: int) -> None:
        async with database.engine.connect():
            order.append(number)

    held = await database.engine.connect()
    waiters = [asyncio.create_task(use(number)) for number in range(3)]
    await run_until_waiting()
    await held.close()
    await use(3)  # a newcomer, before a waiter has run
    await asyncio.gather(*waiters)
    assert order == [0, 1, 2, 3]
    await database.dispose()


async def two_waiters(queue: HandOffQueue) -> list[asyncio.Task[Any]]:
    waiters = [asyncio.create_task(greenlet_spawn(queue.get, True, 10)) for _ in range(2)]
    while len(queue.waiters) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    return waiters


@pytest.mark.parametrize("was_handed_over", [False, True])
async def test_connection_of_a_cancelled_waiter_goes_to_the_next(was_handed_over: bool) -> None:
    queue = HandOffQueue()
    entry: Any = object()
    cancelled, patient = await two_waiters(queue)
    if not was_handed_over:
        cancelled.cancel()
    queue.put(entry)
    cancelled.cancel()
    assert await patient is entry
    assert cancelled.cancelled()
    assert (len(queue.waiters), queue.qsize()) == (0, 0)


async def test_wait_ends_at_the_timeout() -> None:
    queue = HandOffQueue()
    with pytest.raises(Empty):
        await greenlet_spawn(queue.get, True, 0.01)
    assert len(queue.waiters) == 0


async def test_exhausted_pool_is_an_error_response_in_time(one_connection: Settings) -> None:
    app = create_app(one_connection.model_copy(update={"database_pool_timeout": 0.05}))
    database: Database = app.state.database
    async with app.router.lifespan_context(app), client_of(app) as client:
        async with AsyncExitStack() as held:
            for engine in {id(e.pool): e for e in (database.engine, database.read_engine)}.values():
                await held.enter_async_context(engine.connect())
            response = await client.get("/health/ready")
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert (await client.get("/health/pool")).status_code == 200


async def test_pool_logs_only_warnings(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    database = Database(settings)
    async with database.engine.connect():
        pass
    await database.dispose()
    assert not [record for record in caplog.records if "Pool" in record.name]
