"""Collections that `selectinload` loads are the same in both ways."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import (
    Load,
    aliased,
    contains_eager,
    defaultload,
    defer,
    immediateload,
    joinedload,
    lazyload,
    load_only,
    raiseload,
    selectinload,
    subqueryload,
    with_loader_criteria,
)

from app.core.sessions import ReadOnlySession
from app.database import Database
from tests.core.both_ways import compare, read_both_ways

from .relationships import BY_SESSION, DIRECT, Author, Book, Shelf, Tag
from .statements import CONSUMERS, consumers

Other = aliased(Author, name="other")
OPTIONS: list[Any] = [
    *map(selectinload, DIRECT[:9]),
    *map(selectinload, BY_SESSION[:1]),
    selectinload(Author.books, chunksize=1),
    selectinload(Author.books).selectinload(Book.tags),
    selectinload(Author.books).joinedload(Book.author),
    selectinload(Author.books).raiseload(Book.tags),
    selectinload(Author.books).raiseload("*"),
    selectinload(Author.books).load_only(Book.title),
    selectinload(Author.books.and_(Book.title == "a")),
    selectinload(Author.books.of_type(aliased(Book))),
    selectinload(Author.books.and_(Book.pages > bindparam("pages", 5))),
    selectinload(Author.pupils, recursion_depth=1),
    selectinload(Author.pupils).selectinload(Author.pupils),
    selectinload(Author.pupils).selectinload(Author.books),
    selectinload(Author.pupils).joinedload(Author.teacher),
    selectinload("*"),
    joinedload(Author.books),
    joinedload(Author.teacher),
    joinedload(Author.teacher).selectinload(Author.books),
    subqueryload(Author.books),
    immediateload(Author.books),
    lazyload(Author.books),
    lazyload(Author.books.and_(Book.title == "a")),
    raiseload(Author.books),
    raiseload("*"),
    defaultload(Author.books).selectinload(Book.tags),
    defaultload(Author.books).lazyload(Book.tags.and_(Tag.name == "NEW")),
    defer(Author.name),
    load_only(Author.id),
    Load(Author).selectinload(Author.tags),
    with_loader_criteria(Book, Book.title == "a"),
    with_loader_criteria(Author, Author.id < 3),
]


@st.composite
def statements(draw: st.DrawFn) -> Any:
    """Parents with options; some are found by no row, or by several."""
    form = draw(st.integers(0, 6))
    statement: Any = select(Author)
    if form == 1:
        statement = statement.join(Book, Book.author_id == Author.id)
    elif form == 2:
        statement = select(Author, Author.name)
    elif form == 3:
        statement = select(Author).select_from(Book).outerjoin(Author, Book.author_id == Author.id)
    elif form == 4:
        statement = select(Author, Other).outerjoin(Other, Other.teacher_id == Author.id)
        statement = statement.order_by(Other.id)
    elif form == 5:
        statement = statement.join(Author.books).options(contains_eager(Author.books))
    statement = statement.where(
        draw(
            st.sampled_from(
                [Author.id > 0, Author.id == 2, Author.id.in_([1, 3, 9]), Author.name == "none"]
            )
        )
    )
    options = draw(st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=2))
    statement = statement.options(*options).order_by(Author.id)
    if form in (1, 3):
        statement = statement.order_by(Book.id)
    return statement.limit(draw(st.integers(1, 3))) if draw(st.booleans()) else statement


@given(statements(), consumers)
def test_collections(
    loop: asyncio.Runner, database: Database, statement: Any, consumer: str
) -> None:
    loop.run(read_both_ways(database, statement, consume=CONSUMERS[consumer]))


@given(st.sampled_from([1, 2, 3, 9, None, "x", (1,), 2**70]), st.sampled_from(OPTIONS))
def test_key_with_collections(
    loop: asyncio.Runner, database: Database, key: Any, option: Any
) -> None:
    async def get(session: ReadOnlySession) -> Any:
        return await session.get(Author, key, options=[option])

    loop.run(compare(database, get))


@pytest.mark.parametrize("attribute", DIRECT, ids=str)
def test_collection_is_read_directly(
    loop: asyncio.Runner, database: Database, attribute: Any
) -> None:
    statement = select(attribute.parent.class_).options(selectinload(attribute))
    assert loop.run(read_both_ways(database, statement))


@pytest.mark.parametrize("attribute", BY_SESSION, ids=str)
def test_single_object_is_read_by_the_session(
    loop: asyncio.Runner, database: Database, attribute: Any
) -> None:
    statement = select(attribute.parent.class_).options(selectinload(attribute))
    assert not loop.run(read_both_ways(database, statement))


@pytest.mark.parametrize("key", [(1, "x"), (2, "x"), (9, "x")])
def test_collection_that_is_loaded_by_default_is_read_directly(
    loop: asyncio.Runner, database: Database, key: Any
) -> None:
    async def get(session: ReadOnlySession) -> Any:
        return await session.get(Shelf, key)

    assert loop.run(compare(database, get))


def test_plan_is_made_when_there_are_parents(loop: asyncio.Runner, new_database: Database) -> None:
    statement = (
        select(Author).where(Author.id == bindparam("id")).options(selectinload(Author.books))
    )
    assert not loop.run(read_both_ways(new_database, statement, {"id": 9}))
    assert loop.run(read_both_ways(new_database, statement, {"id": 1}))
    assert loop.run(read_both_ways(new_database, statement, {"id": 9}))


def test_failed_collection_is_the_error_of_the_session(
    loop: asyncio.Runner, new_database: Database
) -> None:
    statement = select(Author).options(selectinload(Author.books)).where(Author.id < 3)

    async def rename(old: str, new: str) -> None:
        async with new_database.engine.begin() as connection:
            await connection.execute(text(f"ALTER TABLE books RENAME COLUMN {old} TO {new}"))

    async def read() -> None:
        assert await read_both_ways(new_database, statement)
        await rename("pages", "sheets")
        try:
            assert await read_both_ways(new_database, statement)
        finally:
            await rename("sheets", "pages")
        assert await read_both_ways(new_database, statement)

    loop.run(read())
