"""Units of work that run again."""

import asyncio
from contextlib import suppress
from typing import cast

import pytest
import stamina
from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database_errors import ErrorKind
from app.core.transactions import ATTEMPTS, transact
from app.database import Database
from tests.core.things import Thing


async def count_up(session: AsyncSession, name: str) -> None:
    await session.execute(update(Thing).where(Thing.name == name).values(size=Thing.size + 1))


@pytest.mark.real_commits
async def test_both_of_two_that_deadlock_succeed(database: Database, session: AsyncSession) -> None:
    session.add_all([Thing(name="a"), Thing(name="b")])
    await session.commit()
    meeting = asyncio.Barrier(2)

    async def change_both(first: str, second: str) -> None:
        async def work(session: AsyncSession) -> None:
            await count_up(session, first)
            # Each has what the other wants next. SQLite lets only one in, which goes on alone.
            with suppress(TimeoutError, asyncio.BrokenBarrierError):
                async with asyncio.timeout(0.5):
                    await meeting.wait()
            await count_up(session, second)

        await transact(database, work)

    await asyncio.gather(change_both("a", "b"), change_both("b", "a"))
    assert (await session.scalars(select(Thing.size))).all() == [3, 3]


async def test_work_that_conflicts_again_and_again_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[AsyncSession] = []

    async def lose(session: AsyncSession) -> None:
        attempts.append(session)
        raise DBAPIError("", None, Exception())

    monkeypatch.setattr("app.core.transactions.classify", lambda _: ErrorKind.CONFLICT)
    with stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(DBAPIError):
        await transact(database, lose)
    assert len(set(map(id, attempts))) == ATTEMPTS


async def test_work_that_fails_otherwise_is_not_repeated(database: Database) -> None:
    attempts = 0

    async def fail(session: AsyncSession) -> None:
        nonlocal attempts
        attempts += 1
        session.add(Thing(name="a"))
        await session.flush()
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        await transact(database, fail)
    assert attempts == 1


async def test_result_of_the_work_is_returned(database: Database) -> None:
    async def work(session: AsyncSession) -> int:
        result = await session.execute(update(Thing).values(size=2))
        return cast("CursorResult[None]", result).rowcount

    assert await transact(database, work) == 0
