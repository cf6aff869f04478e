"""The types that all models share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from tests.core.things import Thing


async def test_moment_comes_back_in_utc_to_the_microsecond(session: AsyncSession) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2)))
    session.add(Thing(name="x", seen_at=moment))
    await session.commit()
    found = await session.scalar(select(Thing.seen_at))
    assert found == moment
    assert found.tzinfo is UTC


async def test_moment_that_is_absent_stays_absent(session: AsyncSession) -> None:
    session.add(Thing(name="x", gone_at=None))
    await session.commit()
    assert (await session.scalars(select(Thing.gone_at))).all() == [None]


async def test_moment_without_a_time_zone_is_refused(session: AsyncSession) -> None:
    session.add(Thing(name="x", seen_at=datetime(2030, 1, 1)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"):
        await session.flush()


async def test_ids_made_one_after_another_sort_in_that_order(session: AsyncSession) -> None:
    things = [Thing(name=str(number)) for number in range(100)]
    session.add_all(things)
    await session.flush()
    names = (await session.scalars(select(Thing.name).order_by(Thing.id))).all()
    assert names == [thing.name for thing in things]


async def test_lazy_load_is_an_error_that_says_so(session: AsyncSession) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    session.expunge_all()
    found = await session.scalar(select(Thing))
    assert found is not None
    with pytest.raises(InvalidRequestError, match="lazy='raise'"):
        _ = found.parts
