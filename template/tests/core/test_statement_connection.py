"""Connections for statements that are executed without the engine."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, exc
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from app.core.pool import pool_status
from app.core.statement_connection import StatementConnection
from app.database import Database
from app.settings import Settings


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine for reads, whose pool has one connection, which is open."""
    database = Database(settings.model_copy(update={"database_pool_size": 1}))
    await used_by(database.read_engine)
    yield database.read_engine
    await database.dispose()


async def used_by(engine: AsyncEngine) -> Any:
    """Take a connection and return it to its pool; return the connection of the driver."""
    async with StatementConnection(engine.sync_engine) as connection:
        assert connection.dbapi_connection.driver_connection is connection.driver_connection
        return connection.driver_connection


async def test_open_connection_is_taken_without_a_checkout(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.sync_engine, "connect", None)
    async with StatementConnection(engine.sync_engine):
        assert pool_status(engine).checked_out == 1
    assert pool_status(engine).checked_out == 0
    assert await used_by(engine) is await used_by(engine)


@pytest.mark.parametrize("others", [False, True])
async def test_invalidated_connections_are_replaced(settings: Settings, others: bool) -> None:
    database = Database(settings.model_copy(update={"database_pool_size": 2}))
    engine = database.read_engine
    async with StatementConnection(engine.sync_engine) as broken:
        intact = await used_by(engine)
        await broken.invalidate(ConnectionError(), others=others)
    used = [await used_by(engine), await used_by(engine)]
    assert (intact not in used) == others
    assert len({intact, *used}) == (3 if others else 2)
    assert pool_status(engine).checked_out == 0
    await database.dispose()


@pytest.mark.parametrize(("name", "value"), [("_recycle", 0), ("_pre_ping", True)])
async def test_connection_is_recycled_and_pinged_as_the_pool_is_told(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    before = await used_by(engine)
    monkeypatch.setattr(engine.pool, name, value)
    monkeypatch.setattr(engine.dialect, "do_ping", lambda _: False)
    assert await used_by(engine) is not before


async def test_connection_with_a_changed_session_is_closed(engine: AsyncEngine) -> None:
    async with StatementConnection(engine.sync_engine) as connection:
        connection.info["session_changed"] = True
        before = connection.driver_connection
    assert await used_by(engine) is not before


async def test_connection_of_a_cancelled_statement_is_closed(engine: AsyncEngine) -> None:
    before = await used_by(engine)

    async def wait() -> None:
        async with StatementConnection(engine.sync_engine):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await used_by(engine) is not before
    assert pool_status(engine).checked_out == 0


async def test_connection_is_closed_once(settings: Settings) -> None:
    database = Database(settings)

    async def fail() -> None:
        async with StatementConnection(database.read_engine.sync_engine) as connection:
            connection.info["session_changed"] = True
            await connection.invalidate(ConnectionError())
            raise asyncio.CancelledError

    for _ in range(2):  # with a checkout, then without
        with pytest.raises(asyncio.CancelledError):
            await fail()
        await used_by(database.read_engine)
    await database.dispose()


@pytest.mark.parametrize("name", ["checkout", "checkin", "reset"])
async def test_listeners_of_the_pool_are_called(engine: AsyncEngine, name: str) -> None:
    calls: list[str] = []

    def listener(*_: object) -> None:
        calls.append(name)

    event.listen(engine.sync_engine, name, listener)
    await used_by(engine)
    event.remove(engine.sync_engine, name, listener)
    await used_by(engine)
    assert calls == [name]


async def test_wait_for_a_connection_ends_at_the_timeout(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    async with StatementConnection(engine.sync_engine):
        with pytest.raises(exc.TimeoutError):
            await used_by(engine)
    assert pool_status(engine).waits == 1


async def test_waiter_replaces_a_closed_connection_at_once(engine: AsyncEngine) -> None:
    async with StatementConnection(engine.sync_engine) as connection:
        before = connection.driver_connection
        waiters = [asyncio.create_task(used_by(engine)) for _ in range(2)]
        await asyncio.sleep(0)
        await connection.invalidate(ConnectionError())
    after = [await waiter for waiter in waiters]
    assert before not in after
    assert pool_status(engine).waits == 2


async def test_connection_that_cannot_be_opened_is_an_error_of_sqlalchemy(
    engine: AsyncEngine,
) -> None:
    def refuse(*_: object) -> None:
        raise engine.dialect.loaded_dbapi.OperationalError("refused")

    event.listen(engine.sync_engine, "do_connect", refuse)
    async with StatementConnection(engine.sync_engine) as connection:
        await connection.invalidate(ConnectionError())
    for _ in range(2):
        with pytest.raises(exc.DBAPIError, match="refused"):
            await used_by(engine)
    event.remove(engine.sync_engine, "do_connect", refuse)
    await used_by(engine)


async def test_any_pool_provides_a_connection(engine: AsyncEngine) -> None:
    await engine.dispose()
    creator = engine.sync_engine.pool._creator  # noqa: SLF001
    engine.sync_engine.pool = NullPool(creator, dialect=engine.dialect)
    assert await used_by(engine) is not await used_by(engine)
