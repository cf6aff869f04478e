"""What a read leaves behind in the pool when it fails, takes too long or is cancelled."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from sqlalchemy import bindparam, func, select

from app.database import Database
from tests.core.both_ways import read_both_ways
from tests.core.support import checked_out

from .conftest import MANY, connected
from .models import Everything

ONE = select(Everything).where(Everything.key == bindparam("key"))
# Sleeps on the server, and fails there.
SLEEP = {"postgresql": "pg_sleep", "mysql": "sleep"}


async def read_all(database: Database) -> list[int | None]:
    found = [await database.read().scalar(ONE, {"key": key}) for key in (1, 2, 3)]
    return [each and each.key for each in found]


@pytest.mark.parametrize("steps", range(0, 15, 1 if MANY else 4))
def test_cancelled_read_returns_its_connection(
    loop: asyncio.Runner, new_database: Database, steps: int
) -> None:
    async def cancel() -> None:
        assert await read_all(new_database) == [1, None, 3]
        reads = [asyncio.create_task(read_all(new_database)) for _ in range(8)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for read in reads[::2]:
            read.cancel()
        for read in reads[::2]:
            with suppress(asyncio.CancelledError):
                await read
        for read in reads[1::2]:
            assert await read == [1, None, 3]
        assert checked_out(new_database) == 0
        assert await read_all(new_database) == [1, None, 3]

    loop.run(cancel())


def test_concurrent_reads_of_one_session_get_their_own_rows(
    loop: asyncio.Runner, new_database: Database
) -> None:
    async def read() -> None:
        await read_all(new_database)
        session = new_database.read()
        keys = [1, 2, 3] * 30
        found = await asyncio.gather(*(session.scalar(ONE, {"key": key}) for key in keys))
        assert [each and each.key for each in found] == [1, None, 3] * 30
        assert checked_out(new_database) == 0

    loop.run(read())


def test_read_without_a_free_connection_fails_alike(
    loop: asyncio.Runner, database: Database
) -> None:
    if database.engine.dialect.name == "sqlite":
        return  # reads share a connection
    full = connected(database_pool_timeout=0.05)

    async def read() -> None:
        await read_both_ways(full, ONE, {"key": 1})
        async with AsyncExitStack() as held:
            for _ in range(5):
                await held.enter_async_context(full.engine.connect())
            await read_both_ways(full, ONE, {"key": 1})
        await full.dispose()

    loop.run(read())


def test_slow_read_fails_alike(loop: asyncio.Runner, database: Database) -> None:
    slow = connected(database_statement_timeout=0.2)
    if sleep := SLEEP.get(slow.engine.dialect.name):
        seconds = bindparam("seconds", 0)
        statement = select(Everything.key).where(getattr(func, sleep)(seconds).is_not(None))

        async def read() -> None:
            assert await read_both_ways(slow, statement)
            assert await read_both_ways(slow, statement, {"seconds": 5})
            assert await read_both_ways(slow, statement)

        loop.run(read())
    loop.run(slow.dispose())


def test_read_whose_connection_is_killed_fails_alike(
    loop: asyncio.Runner, new_database: Database
) -> None:
    if new_database.engine.dialect.name != "postgresql":
        return
    kill = func.pg_terminate_backend(func.pg_backend_pid() * bindparam("factor", 0))
    statement = select(Everything.key).where(kill.is_not(None))

    async def read() -> None:
        assert await read_both_ways(new_database, statement)
        await read_both_ways(new_database, statement, {"factor": 1})
        assert await read_both_ways(new_database, statement)

    loop.run(read())


def test_types_of_columns_may_change(loop: asyncio.Runner, new_database: Database) -> None:
    """A migration that changes types changes the conversion, on each connection."""
    if new_database.engine.dialect.name == "sqlite":
        return  # has no types of columns
    statement: Any = select(Everything.about).where(Everything.key == 1)
    alter = {
        "postgresql": "ALTER TABLE everything ALTER about_it TYPE",
        "mysql": "ALTER TABLE everything MODIFY about_it",
    }[new_database.engine.dialect.name]

    async def read() -> None:
        expected = 2.5
        for kind in ("numeric(10, 2)", "double precision", "numeric(10, 2)"):
            async with new_database.engine.begin() as connection:
                await connection.exec_driver_sql(f"{alter} {kind}")
            for _ in range(6):
                found = await new_database.read().scalar(statement)
                assert (type(found), found) == (float, expected)

    loop.run(read())
