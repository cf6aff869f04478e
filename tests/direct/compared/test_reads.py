"""Both ways of a read return and raise the same."""

import asyncio
import pickle
from datetime import UTC
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import bindparam, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.core.sessions import ReadOnlySession
from app.database import Database
from tests.core.both_ways import Described, compare, described_error, read_both_ways

from . import models
from .models import Everything, Pair
from .statements import CONSUMERS, consumers, statements

COLUMNS = [
    getattr(Everything, attribute.key)
    for attribute in inspect(Everything).column_attrs
    if attribute.key != "length"
]
# Values of each type, and what no column or no driver accepts.
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**15, 2**31, 2**63, 2**70, -(2**63) - 1]),
    st.floats(),
    st.decimals(),
    st.text(max_size=5),
    st.sampled_from(["\x00", "\ud800", "%s", ":name", "$1", "'", "\\"]),
    st.binary(max_size=5),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([*models.Colour, *models.Size, [], {}, {"a": 1}, (1, 2), object]),
)


def is_short(column: InstrumentedAttribute[Any], value: Any) -> bool:
    """Return whether binding the value takes little memory: `bytes(2**31)` has 2 GiB."""
    return column is not Everything.blob or not isinstance(value, int) or value < 1000


@given(statements, consumers)
def test_statement(loop: asyncio.Runner, database: Database, statement: Any, consumer: str) -> None:
    loop.run(read_both_ways(database, statement, consume=CONSUMERS[consumer]))


@given(st.sampled_from(COLUMNS), VALUES)
def test_bound_value(
    loop: asyncio.Runner, database: Database, column: InstrumentedAttribute[Any], value: Any
) -> None:
    assume(is_short(column, value))
    statement = select(Everything).where(column == bindparam("value", type_=column.type))
    loop.run(read_both_ways(database, statement, {"value": value}))


@given(st.sampled_from(COLUMNS), VALUES)
def test_literal_value(
    loop: asyncio.Runner, database: Database, column: InstrumentedAttribute[Any], value: Any
) -> None:
    assume(is_short(column, value))
    try:
        statement = select(Everything.key, column).where(column >= value)
    except Exception:
        return
    loop.run(read_both_ways(database, statement))


@given(st.sampled_from(COLUMNS), st.lists(VALUES, max_size=3))
def test_list_of_values(
    loop: asyncio.Runner, database: Database, column: InstrumentedAttribute[Any], values: Any
) -> None:
    assume(all(is_short(column, value) for value in values))
    loop.run(read_both_ways(database, select(Everything).where(column.in_(values))))


@given(
    st.sampled_from([Everything, Pair, *models.BY_SESSION]),
    st.one_of(
        VALUES,
        st.sampled_from([1, 3, (1, "a"), [1, "b"], (1, None), (None, None), {"key": 1}]),
        st.tuples(VALUES, VALUES),
        st.dictionaries(st.sampled_from(["left", "right", "key"]), st.sampled_from([1, "a"])),
    ),
    st.booleans(),
)
def test_key(
    loop: asyncio.Runner, database: Database, entity: Any, key: Any, must_exist: bool
) -> None:
    async def get(session: ReadOnlySession) -> Any:
        return await (session.get_one if must_exist else session.get)(entity, key)

    loop.run(compare(database, get))


@given(st.dictionaries(st.sampled_from(["value", "other", "id"]), st.integers(0, 3)))
def test_parameters(loop: asyncio.Runner, database: Database, values: dict[str, int]) -> None:
    statement = select(Everything).where(
        Everything.key == bindparam("value", required=True), Everything.key > bindparam("other", 0)
    )
    loop.run(read_both_ways(database, statement, values))


@pytest.mark.parametrize("values", [[{"key": 3}], ({"key": 3},), [{"key": 1}, {"key": 3}], [1], 1])
def test_parameters_that_are_no_mapping(
    loop: asyncio.Runner, database: Database, values: Any
) -> None:
    statement = select(Everything).where(Everything.key == bindparam("key", 1))
    loop.run(read_both_ways(database, statement))
    loop.run(read_both_ways(database, statement, values))


def test_key_in_a_row_of_another_statement(loop: asyncio.Runner, database: Database) -> None:
    async def get(session: ReadOnlySession) -> Any:
        key = (await session.execute(select(Everything.key).where(Everything.key == 1))).one()
        return await session.get(Everything, key)

    assert loop.run(compare(database, get))


def test_alias_of_some_columns_is_read_by_the_session(
    loop: asyncio.Runner, database: Database
) -> None:
    some = aliased(Everything, select(Everything.key, Everything.text).subquery())
    statement = select(some).order_by(some.key)
    for _ in range(2):  # the session's second result has more expired attributes
        loop.run(ReadOnlySession(database.read_primary.args[0]).execute(statement))
    assert not loop.run(read_both_ways(database, statement))


@pytest.mark.parametrize("entity", models.DIRECT)
def test_entity_is_read_directly(loop: asyncio.Runner, database: Database, entity: Any) -> None:
    assert loop.run(read_both_ways(database, select(entity)))


@pytest.mark.parametrize("entity", models.BY_SESSION)
def test_entity_is_read_by_the_session(
    loop: asyncio.Runner, database: Database, entity: Any
) -> None:
    assert not loop.run(read_both_ways(database, select(entity)))


ONE = select(Everything).where(Everything.key == 1)


async def lazily(session: Any, found: Any) -> Any:
    return found.everything


async def changed(session: Any, found: Any) -> Any:
    found.text = "changed"
    state = inspect(found)
    return state.modified, state.attrs.text.history, found.key


async def added(session: Any, found: Any) -> Any:
    found.text = "changed"
    session.add(found)
    await session.flush()
    await session.refresh(found)
    await session.rollback()
    return inspect(found).expired


async def merged(session: Any, found: Any) -> Any:
    found.text = "changed"
    copy = await session.merge(found)
    await session.flush()
    return copy, copy is found, inspect(copy).persistent


async def merged_without_loading(session: Any, found: Any) -> Any:
    return await session.merge(found, load=False)


async def pickled(session: Any, found: Any) -> Any:
    copy = pickle.loads(pickle.dumps(found))
    session.add(copy)
    return copy, inspect(copy).persistent


async def deleted(session: Any, found: Any) -> Any:
    await session.delete(found)
    await session.flush()
    return inspect(found).was_deleted


async def expired(session: Any, found: Any) -> Any:
    session.add(found)
    session.expire(found, ["text"])
    await session.refresh(found, ["text"])
    return found


@pytest.mark.parametrize("statement", [ONE, select(Pair).where(Pair.right == "b")])
@pytest.mark.parametrize(
    "use",
    [lazily, changed, added, merged, merged_without_loading, pickled, deleted, expired],
)
def test_object_behaves_as_one_of_a_closed_session(
    loop: asyncio.Runner, database: Database, statement: Any, use: Any
) -> None:
    async def read_and_use(session: ReadOnlySession) -> Any:
        found = await session.scalar(statement)
        async with database.write() as writing:
            described = Described()
            try:
                returned = described.value(await use(writing, found))
            except Exception as error:
                returned = described_error(error)
            # An attribute may have expired: `Described` reads only what is there.
            return str(returned), str(described.value(found))

    loop.run(compare(database, read_and_use))
