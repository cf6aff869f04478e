"""A read that is cancelled at any of its awaits leaves nothing behind, here or on the server."""

import asyncio
import gc
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import selectinload

from app.database import Database
from tests.core.support import checked_out

from .conftest import MANY, connected
from .models import Everything
from .relationships import Author

ONE = select(Everything.key).where(Everything.key == bindparam("key", type_=BigInteger))
WITH_BOOKS = select(Author).where(Author.id == bindparam("key")).options(selectinload(Author.books))
TOO_LARGE = 2**80
# Connections of other clients to this database; and statements, transactions and locks of them.
LEFT_ON_SERVER = {
    "postgresql": "SELECT count(*),"
    " count(*) FILTER (WHERE state <> 'idle') + (SELECT count(*) FROM pg_locks"
    "  WHERE relation = 'everything'::regclass AND pid <> pg_backend_pid())"
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT count(*),"
    " count(nullif(command, 'Sleep')) + (SELECT count(*) FROM information_schema.innodb_trx)"
    " FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}


class Cancelled(Coroutine[Any, Any, Any]):
    """A coroutine whose task is cancelled at one of its awaits.

    It is cancelled when it starts to wait, or when that for which it waits has arrived.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int, when: str) -> None:
        self.coroutine = coroutine
        self.awaits_before = number
        self.when = when

    def send(self, value: Any) -> Any:
        return self._waiting(self.coroutine.send(value))

    def throw(self, *error: Any) -> Any:
        return self._waiting(self.coroutine.throw(*error))

    def close(self) -> None:
        self.coroutine.close()

    def __await__(self) -> Iterator[Any]:
        raise NotImplementedError

    def _waiting(self, future: Any) -> Any:
        self.awaits_before -= 1
        if self.awaits_before == -1:
            task: Any = asyncio.current_task()
            if self.when == "waiting" or future is None:
                task.cancel()
            else:
                future.add_done_callback(lambda _: task.cancel())
        return future


def open_connections(database: Database) -> int:
    pools: list[Any] = list({database.engine.pool, database.read_engine.pool})
    readers = [pool.reader._connection for pool in pools if hasattr(pool, "reader")]
    return len([reader for reader in readers if reader is not None]) + sum(
        entry.dbapi_connection is not None for pool in pools for entry in pool._pool.idle
    )


async def left_on_server(observer: Database) -> tuple[int, int]:
    family = observer.engine.dialect.name
    if family == "sqlite":
        return threading.active_count(), 0  # each connection has a thread
    async with observer.engine.connect() as connection:
        found = (await connection.execute(text(LEFT_ON_SERVER[family]))).one()
        return int(found[0]), int(found[1])


async def wait_until_left(observer: Database, connections: int) -> None:
    async with asyncio.timeout(10):
        while await left_on_server(observer) != (connections, 0):
            gc.collect()  # psycopg closes what it was opening
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("when", ["waiting", "arrived"] if MANY else ["waiting"])
@pytest.mark.parametrize("kind", ["idle", "new", "exhausted", "rejected", "collection"])
def test_read_that_is_cancelled_at_any_await_leaves_nothing_behind(
    loop: asyncio.Runner, database: Database, kind: str, when: str
) -> None:
    cancelled = connected(database_pool_size=1)
    key = TOO_LARGE if kind == "rejected" else 1

    async def read(key: int) -> Any:
        if kind == "collection":
            author = await cancelled.read().scalar(WITH_BOOKS, {"key": key})
            return author and author.id
        return await cancelled.read().scalar(ONE, {"key": key})

    async def cancel(number: int) -> bool:
        """Return whether the read has awaited that often."""
        if kind not in {"idle", "collection"}:
            await cancelled.dispose()
        held = await cancelled.read_engine.connect() if kind == "exhausted" else None
        coroutine = Cancelled(read(key), number, when)
        task = asyncio.create_task(coroutine)
        if held:
            for _ in range(3):
                await asyncio.sleep(0)
            await held.close()
        with suppress(asyncio.CancelledError, SQLAlchemyError):
            await task
        return coroutine.awaits_before < 0

    async def cancel_everywhere() -> None:
        others, _ = await left_on_server(database)
        for _ in range(2):
            assert await read(1) == 1
        number, is_cancelled = 0, True
        while is_cancelled:
            is_cancelled = await cancel(number)
            number += is_cancelled
            assert checked_out(cancelled) == 0
            await wait_until_left(database, others + open_connections(cancelled))
            assert [await read(1), await read(9)] == [1, None]
        assert number > 0
        await cancelled.dispose()
        await wait_until_left(database, others)  # which the next test counts

    loop.run(cancel_everywhere())
