"""Tests that fail in various ways, and one after each that passes."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.archive import Room
from app.database import Database

pytestmark = pytest.mark.real_commits

kept: list[Any] = []


@pytest.fixture
async def broken(session: AsyncSession) -> None:
    session.add(Room(number=1, inside=1))
    await session.commit()
    raise RuntimeError


async def test_setup_fails(broken: None) -> None: ...


async def test_passes_after_setup_that_failed(session: AsyncSession) -> None:
    assert (await session.scalars(select(Room))).all() == []


async def test_fails(session: AsyncSession) -> None:
    session.add(Room(number=1, inside=1))
    await session.commit()
    raise AssertionError


async def test_passes_after_failure(session: AsyncSession) -> None:
    assert (await session.scalars(select(Room))).all() == []


async def test_leaves_a_session_open(database: Database) -> None:
    session = database.write()
    session.add(Room(number=1))
    await session.flush()
    kept.append(session)


async def test_passes_after_open_session(session: AsyncSession) -> None:
    assert (await session.scalars(select(Room))).all() == []


async def test_leaves_a_connection_open(database: Database) -> None:
    connection = await database.engine.connect()
    await connection.execute(Room.__table__.insert().values(number=1))
    kept.append(connection)


async def test_passes_after_open_connection(session: AsyncSession) -> None:
    assert (await session.scalars(select(Room))).all() == []


async def test_leaves_a_task_running(database: Database) -> None:
    async def write() -> None:
        async with database.write.begin() as session:
            session.add(Room(number=1))
            await session.flush()
            began.set()
            await asyncio.sleep(3600)

    began = asyncio.Event()
    kept.append(asyncio.create_task(write()))
    await began.wait()


async def test_passes_after_running_task(session: AsyncSession) -> None:
    assert (await session.scalars(select(Room))).all() == []
