"""Tests that commit, with tables that refer to each other."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.archive import Keeper, Language, Room


@pytest.mark.parametrize("how", ["first", "again", "last"])
@pytest.mark.real_commits
async def test_each_test_begins_with_the_rows_of_the_migrations(
    session: AsyncSession, how: str
) -> None:
    languages = await session.scalars(select(Language).order_by(Language.code))
    assert [(row.code, row.name) for row in languages] == [("de", "German"), ("en", "English")]
    for table in (Keeper, Room):
        assert (await session.scalars(select(table))).all() == []
    house = Room(number=1)
    keeper = Keeper(number=1, language="en")
    session.add_all([house, keeper])
    await session.flush()
    session.add(Room(number=2, inside=1, keeper_id=1))
    house.keeper_id = 1
    await session.flush()
    house.inside, keeper.room_number = 2, 1
    session.add(Language(code="fr", name="French"))
    (await session.get_one(Language, "de")).name = "Deutsch"
    await session.commit()


async def test_rolled_back_test_sees_the_rows_of_the_migrations(session: AsyncSession) -> None:
    assert len((await session.scalars(select(Language))).all()) == 2
