"""Column types and schemas that only some databases have are read alike."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from app.core.direct_reads import DirectReads
from app.core.sessions import ReadOnlySession
from app.database import Database
from tests.core.both_ways import direct_reads, read_both_ways

from .native_types import COLUMNS, SCHEMA, TYPES, Elsewhere, Native, Translated

# Most types accept some of them.
OTHERS: list[Any] = [None, "", "x", 1, -1, 1.5, b"\xff", [], [None], {}, object]

pytestmark = pytest.mark.skipif(not TYPES, reason="SQLite has no types of its own")


def test_objects(loop: asyncio.Runner, database: Database) -> None:
    assert loop.run(read_both_ways(database, select(Native).order_by(Native.id)))


def test_columns(loop: asyncio.Runner, database: Database) -> None:
    assert loop.run(read_both_ways(database, select(*COLUMNS).order_by(Native.id)))


@pytest.mark.filterwarnings("ignore:Type object <class 'sqlalchemy.dialects")
@given(
    st.integers(0, len(TYPES) - 1).flatmap(
        lambda number: st.tuples(
            st.just(COLUMNS[number]), st.sampled_from([*TYPES[number][1:], *OTHERS])
        )
    )
)
def test_values(loop: asyncio.Runner, database: Database, bound: tuple[Any, Any]) -> None:
    column, value = bound
    statement = select(Native.id, column).where(column == bindparam("value", type_=column.type))
    loop.run(read_both_ways(database, statement, {"value": value}))


def test_second_schema(loop: asyncio.Runner, database: Database) -> None:
    assert loop.run(read_both_ways(database, select(Elsewhere)))


def test_translated_schema_is_read_by_the_session(loop: asyncio.Runner, database: Database) -> None:
    statement, sessions = select(Translated.id), database.read_primary.args[0]
    direct: Any = database.read_primary.keywords["direct"]
    engine = database.read_engine.execution_options(schema_translate_map={None: SCHEMA})
    translated = ReadOnlySession(
        async_sessionmaker(**sessions.kw | {"bind": engine}),
        DirectReads(engine.sync_engine, direct._connect, direct._fetch),
    )

    async def read() -> None:
        for _ in range(3):
            assert await database.read().scalar(statement) is None
        before = direct_reads(database)
        for _ in range(3):
            assert await translated.scalar(statement) == 7
            assert await translated.get(Translated, 7)
        assert direct_reads(database) == before

    loop.run(read())
