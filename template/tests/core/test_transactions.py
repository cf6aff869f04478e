"""Transactions that are retried after a conflict."""

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


async def increment(session: AsyncSession, name: str) -> None:
    await session.execute(update(Thing).where(Thing.name == name).values(size=Thing.size + 1))


@pytest.mark.real_commits
async def test_transactions_that_lock_the_same_rows_in_opposite_order_both_succeed(
    database: Database, session: AsyncSession
) -> None:
    session.add_all([Thing(name="a"), Thing(name="b")])
    await session.commit()
    both_locked = asyncio.Barrier(2)

    async def update_both(first: str, second: str) -> None:
        async def work(session: AsyncSession) -> None:
            await increment(session, first)
            # Wait until the other has locked its first row. A transaction that runs alone, such as
            # a retry, stops waiting.
            with suppress(TimeoutError, asyncio.BrokenBarrierError):
                async with asyncio.timeout(0.5):
                    await both_locked.wait()
            await increment(session, second)

        await transact(database, work)

    await asyncio.gather(update_both("a", "b"), update_both("b", "a"))
    assert (await session.scalars(select(Thing.size))).all() == [3, 3]


async def test_repeated_conflict_is_raised_after_five_attempts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[AsyncSession] = []

    async def conflict(session: AsyncSession) -> None:
        attempts.append(session)
        raise DBAPIError("", None, Exception())

    monkeypatch.setattr("app.core.transactions.classify", lambda _: ErrorKind.CONFLICT)
    with stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(DBAPIError):
        await transact(database, conflict)
    assert len(set(map(id, attempts))) == ATTEMPTS


async def test_other_errors_are_not_retried(database: Database) -> None:
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


async def test_result_is_returned(database: Database) -> None:
    async def work(session: AsyncSession) -> int:
        result = await session.execute(update(Thing).values(size=2))
        return cast("CursorResult[None]", result).rowcount

    assert await transact(database, work) == 0
