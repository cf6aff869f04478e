"""A small common interface to the drivers without SQLAlchemy, for the floors."""

import os
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import make_url

POOL_SIZE = int(os.environ.get("POOL_SIZE", "15"))
# More threads serve fewer requests.
READERS = int(os.environ.get("POOL_SIZE", "2"))
URL = make_url(os.environ["DATABASE_URL"])
DRIVER = os.environ["DRIVER"]


async def leave_alone(_: Any) -> None:
    """The reset of a connection that is returned to the pool, which does nothing."""


class AsyncPG:
    """asyncpg, which prepares each statement once per connection."""

    async def open(self) -> None:
        import asyncpg

        url = URL.set(drivername="postgresql").render_as_string(False)
        # The default reset would be a second round trip for each query.
        self.pool = await asyncpg.create_pool(
            url, min_size=POOL_SIZE, max_size=POOL_SIZE, reset=leave_alone
        )

    async def close(self) -> None:
        await self.pool.close()

    @staticmethod
    def sql(statement: str) -> str:
        first, *others = statement.split("?")
        return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))

    @staticmethod
    def key(value: UUID) -> Any:
        return value

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        async with self.pool.acquire() as connection:
            rows: Sequence[Any] = await connection.fetch(statement, *values)
            return rows

    async def execute_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        async with self.pool.acquire() as connection:
            await connection.executemany(statement, rows)


class Psycopg:
    """psycopg with its own pool; it prepares a statement that a connection repeats."""

    async def open(self) -> None:
        from psycopg_pool import AsyncConnectionPool

        url = URL.set(drivername="postgresql").render_as_string(False)
        self.pool = AsyncConnectionPool(
            url,
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
            kwargs={"autocommit": True},
            open=False,
        )
        await self.pool.open(wait=True)

    async def close(self) -> None:
        await self.pool.close()

    @staticmethod
    def sql(statement: str) -> str:
        return statement.replace("?", "%s")

    @staticmethod
    def key(value: UUID) -> Any:
        return value

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement, values)
            rows: Sequence[Any] = await cursor.fetchall() if cursor.description else []
            return rows

    async def execute_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        async with self.pool.connection() as connection, connection.transaction():
            await connection.cursor().executemany(statement, rows)


class MySQL:
    """asyncmy and aiomysql, which have no prepared statements."""

    def __init__(self, module: Any) -> None:
        self.module = module

    async def open(self) -> None:
        self.pool = await self.module.create_pool(
            host=URL.host,
            port=URL.port,
            user=URL.username,
            db=URL.database,
            minsize=POOL_SIZE,
            maxsize=POOL_SIZE,
            autocommit=True,
        )

    async def close(self) -> None:
        self.pool.close()
        await self.pool.wait_closed()

    @staticmethod
    def sql(statement: str) -> str:
        return statement.replace("?", "%s")

    @staticmethod
    def key(value: UUID) -> Any:
        return value.hex

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(statement, values)
            rows: Sequence[Any] = await cursor.fetchall()
            return rows

    async def execute_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.executemany(statement, rows)


class SQLite:
    """aiosqlite with one connection for writes and others for reads."""

    async def open(self) -> None:
        import asyncio
        import sqlite3

        import aiosqlite

        # The format of SQLAlchemy, so that all contenders read and sort the same rows.
        sqlite3.register_adapter(datetime, lambda value: f"{value:%Y-%m-%d %H:%M:%S.%f}")
        self.readers: asyncio.Queue[Any] = asyncio.Queue()
        for _ in range(READERS):
            self.readers.put_nowait(await self.connect(aiosqlite))
        self.writer = await self.connect(aiosqlite)
        self.writing = asyncio.Lock()

    @staticmethod
    async def connect(module: Any) -> Any:
        assert URL.database is not None
        connection = await module.connect(Path(URL.database), isolation_level=None)
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    async def close(self) -> None:
        await self.writer.close()
        while not self.readers.empty():
            await self.readers.get_nowait().close()

    @staticmethod
    def sql(statement: str) -> str:
        return statement

    @staticmethod
    def key(value: UUID) -> Any:
        return value.hex

    @asynccontextmanager
    async def reader(self) -> Any:
        connection = await self.readers.get()
        try:
            yield connection
        finally:
            self.readers.put_nowait(connection)

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        rows: Sequence[Any]
        if statement.startswith("INSERT"):
            async with self.writing:
                rows = await self.writer.execute_fetchall(statement, values)
        else:
            async with self.reader() as connection:
                rows = await connection.execute_fetchall(statement, values)
        return rows

    async def execute_many(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        async with self.writing:
            await self.writer.execute("BEGIN IMMEDIATE")
            await self.writer.executemany(statement, rows)
            await self.writer.execute("COMMIT")


def driver() -> Any:
    if DRIVER in ("aiomysql", "asyncmy"):
        from importlib import import_module

        return MySQL(import_module(DRIVER))
    drivers = {"aiosqlite": SQLite, "psycopg": Psycopg, "asyncpg": AsyncPG}
    return drivers[DRIVER]()
