"""What a read leaves behind in the pool when it fails, takes too long or is cancelled."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from app.core.sessions import ReadOnlySession
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


@pytest.mark.parametrize("steps", range(0, 15, 1 if MANY else 7))
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


@pytest.mark.parametrize("is_direct", [True, False])
def test_read_whose_connection_was_killed_replaces_all_older_connections_and_no_newer_one(
    loop: asyncio.Runner, database: Database, new_database: Database, is_direct: bool
) -> None:
    family = new_database.engine.dialect.name
    if family == "sqlite":
        return  # has no server
    engine = new_database.read_engine
    number = {"postgresql": func.pg_backend_pid, "mysql": func.connection_id}[family]
    seconds = bindparam("seconds", 0)
    slow = select(Everything.key).where(getattr(func, SLEEP[family])(seconds).is_not(None))
    sessions = new_database.read_primary.args[0]

    async def scalar(statement: Any, **values: Any) -> Any:
        session = new_database.read() if is_direct else ReadOnlySession(sessions)
        return await session.scalar(statement, values)

    async def fill(size: int) -> set[int]:
        """Return the numbers of that many connections, which are idle afterwards."""
        async with AsyncExitStack() as held:
            connections = [await held.enter_async_context(engine.connect()) for _ in range(size)]
            return {await each.scalar(select(number())) for each in connections}

    async def fail(read: asyncio.Task[Any], killed: int) -> None:
        await kill(database, killed)
        with pytest.raises(DBAPIError) as error:
            await read
        assert error.value.connection_invalidated

    async def read() -> None:
        await scalar(ONE, key=1)
        await scalar(slow)
        older = await fill(5)
        reads, busy = [], []
        for _ in range(2):
            reads.append(asyncio.create_task(scalar(slow, seconds=60)))
            busy.append(await executing(database, older - set(busy)))
        await fail(reads[0], busy[0])
        for connection in older - set(busy):
            await kill(database, connection)
        found = await asyncio.gather(*(scalar(ONE, key=key) for key in (1, 2, 3)))
        assert [each and each.key for each in found] == [1, None, 3]
        newer = await fill(4)
        assert not newer & older
        await fail(reads[1], busy[1])
        assert await fill(4) == newer

    loop.run(read())


async def connections_of(observer: Database, condition: str = "1 = 1") -> list[int]:
    """Return the numbers of the other connections to this database."""
    statement = {
        "postgresql": "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mysql": "SELECT id FROM information_schema.processlist"
        " WHERE db = database() AND id <> connection_id()",
    }[observer.engine.dialect.name]
    async with observer.engine.connect() as connection:
        return list(await connection.scalars(text(f"{statement} AND {condition}")))


async def executing(observer: Database, expected: set[int]) -> int:
    """Return one of these connections once it sleeps."""
    condition = {
        "postgresql": "wait_event = 'PgSleep'",
        "mysql": "state = 'User sleep'",
    }[observer.engine.dialect.name]
    while not (found := expected.intersection(await connections_of(observer, condition))):
        await asyncio.sleep(0.005)
    return found.pop()


async def kill(observer: Database, number: int) -> None:
    """End a connection, and wait until it has ended."""
    statement = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
    async with observer.engine.connect() as connection:
        await connection.exec_driver_sql(statement[observer.engine.dialect.name].format(number))
    while number in await connections_of(observer):
        await asyncio.sleep(0.005)


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
