"""The connection pool: its order, its limits and its state."""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from httpx2 import AsyncClient
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.util import await_, greenlet_spawn
from sqlalchemy.util.queue import Empty

from app.core.pool import HandOffQueue, PoolStatus, count_read, single_statement
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


async def transact(database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("SELECT 1"))


async def test_endpoint_reports_the_pools(client: AsyncClient, settings: Settings) -> None:
    pools = (await client.get("/health/pool")).json()
    assert pools
    for status in pools.values():
        assert status["size"] == settings.database_pool_size
        assert (status["overflow"], status["waiting"]) == (0, 0)


def test_pool_of_another_kind_counts_no_reads() -> None:
    engine = create_engine("sqlite://", poolclass=NullPool)
    count_read(engine, directly=True)
    assert not hasattr(engine.pool, "direct_reads")


async def test_waits_are_counted(one_connection: Settings) -> None:
    database = Database(one_connection)
    async with database.write() as session:
        await session.execute(text("SELECT 1"))
        status = status_of(database)
        assert (status.checked_out, status.waits) == (1, 0)
        waiter = asyncio.create_task(transact(database))
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


async def get(queue: HandOffQueue, kind: str, seconds: float = 10) -> ConnectionPoolEntry:
    """Wait for a connection for a statement or for a transaction."""
    single_statement.set(kind == "statement")
    entry: ConnectionPoolEntry = await greenlet_spawn(queue.get, True, seconds)
    return entry


@pytest.mark.parametrize("was_handed_over", [False, True])
@pytest.mark.parametrize(
    "kinds", [("transaction", "transaction"), ("statement", "transaction")], ids="-".join
)
async def test_connection_of_a_cancelled_waiter_goes_to_the_next(
    kinds: tuple[str, str], was_handed_over: bool
) -> None:
    queue = HandOffQueue()
    entry: Any = object()
    cancelled, patient = [asyncio.create_task(get(queue, kind)) for kind in kinds]
    await run_until_waiting()
    assert queue.waiting == 2
    if not was_handed_over:
        cancelled.cancel()
    queue.put(entry)
    cancelled.cancel()
    assert await patient is entry
    assert cancelled.cancelled()
    assert (queue.waiting, queue.qsize()) == (0, 0)


@pytest.mark.parametrize("kind", ["statement", "transaction"])
async def test_wait_ends_at_the_timeout(kind: str) -> None:
    queue = HandOffQueue()
    with pytest.raises(Empty):
        await get(queue, kind, seconds=0.01)
    assert queue.waiting == 0


async def test_cancelled_request_no_longer_waits() -> None:
    queue = HandOffQueue()
    cancelled = asyncio.create_task(get(queue, "statement"))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert queue.waiting == 0


async def test_connection_returned_at_a_timeout_goes_to_the_next() -> None:
    queue = HandOffQueue()
    entry: Any = object()
    late = asyncio.create_task(get(queue, "statement", seconds=0))
    patient = asyncio.create_task(get(queue, "statement"))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0, queue.put, entry)
    assert await patient is entry
    with pytest.raises(Empty):
        await late
    assert (queue.waiting, queue.qsize()) == (0, 0)


async def test_statements_and_transactions_take_turns() -> None:
    queue = HandOffQueue()
    order: list[str] = []

    async def wait(kind: str, number: int) -> None:
        await get(queue, kind)
        order.append(f"{kind} {number}")

    kinds = ["transaction"] * 4 + ["statement"] * 3
    waiters = [asyncio.create_task(wait(kind, n)) for n, kind in enumerate(kinds)]
    await run_until_waiting()
    waiters[0].cancel()
    waiters[4].cancel()
    for _ in range(5):
        queue.put(cast("ConnectionPoolEntry", object()))
    await asyncio.wait(waiters)
    assert order == [
        "statement 5",
        "transaction 1",
        "statement 6",
        "transaction 2",
        "transaction 3",
    ]


async def test_waiter_opens_a_connection_after_another_failed_to(one_connection: Settings) -> None:
    database = Database(one_connection)
    is_waiting = asyncio.Event()
    failures = iter([True])

    def connect(*_: object) -> None:
        if next(failures, False):
            await_(is_waiting.wait())
            raise database.engine.dialect.loaded_dbapi.OperationalError("refused")

    event.listen(database.engine.sync_engine, "do_connect", connect)
    failing, waiter = [asyncio.create_task(transact(database)) for _ in range(2)]
    await run_until_waiting()
    assert status_of(database).waiting == 1
    is_waiting.set()
    with pytest.raises(DBAPIError, match="refused"):
        await failing
    async with asyncio.timeout(10):  # the pool's own timeout is longer
        await waiter
    await database.dispose()


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
