"""Statements of every form that reads, for Hypothesis."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
)
from sqlalchemy import String as Text
from sqlalchemy.orm import Bundle, aliased, defer, joinedload, load_only, selectinload

from .models import (
    BY_SESSION,
    Colour,
    Converted,
    Everything,
    Pair,
    Size,
    Strict,
    Summary,
)

E = Everything
Other = aliased(Everything, name="other")
SUBQUERY = select(E).where(E.key > 0).subquery()
Sub = aliased(E, SUBQUERY, name="sub")

CONDITIONS: list[Any] = [
    E.key == 1,
    E.key == literal(-(2**31)),
    E.key > bindparam("low", 0),
    E.key.in_([1, 3]),
    E.key.in_([]),
    E.key.not_in([1]),
    E.double == 2,
    E.name == "MIXED",
    E.name == bindparam("who", "mixed"),
    E.text.like("%ü%"),
    E.text.is_(None),
    E.also_text.is_not(None),
    E.text == None,  # noqa: E711
    E.text == text("'x'"),
    E.flag.is_(True),
    E.flag == literal(False),
    E.price == Decimal("1.20"),
    E.ratio > 0.05,
    E.colour == Colour.RED,
    E.size == Size.LARGE,
    E.token == UUID(int=7),
    E.instant > datetime(2000, 1, 1, tzinfo=UTC),
    E.day == date(1970, 1, 1),
    E.length > 3,
    or_(E.key == 1, E.key == 3),
    and_(E.key >= 1, literal_column("1") == 1),
    ~E.key.in_([3]),
    E.key == select(func.max(Pair.left)).scalar_subquery(),
    select(Pair).where(Pair.everything_id == E.key).exists(),
]
ORDERS: list[Any] = [
    E.key,
    E.key.desc(),
    E.text.asc().nulls_first(),
    E.length,
    func.coalesce(E.little, 0),
    text("1"),
]
COLUMNS: list[Any] = [
    E.key,
    E.name,
    E.price,
    E.about,
    E.instant,
    E.colour,
    E.length,
    E.double,
    E.also_text,
    E.key.label("labelled"),
    E.__table__.c.id,
    func.count(),
    func.lower(E.text),
    func.max(E.instant).label("newest"),
    literal(1),
    literal("é").label("word"),
    literal_column("1").label("one"),
    null(),
    cast(E.key, Text(20)),
    case((E.flag, "yes"), else_="no"),
    E.data,
    Bundle("both", E.key, E.name),
    text("id"),
]
ENTITIES: list[Any] = [E, Other, Sub, Pair, Strict, Summary, Converted, *BY_SESSION]


@st.composite
def conditions(draw: st.DrawFn, statement: Select[Any]) -> Select[Any]:
    for condition in draw(st.lists(st.sampled_from(CONDITIONS), max_size=2)):
        statement = statement.where(condition)
    statement = statement.order_by(*draw(st.lists(st.sampled_from(ORDERS), max_size=2)), E.key)
    if draw(st.booleans()):
        statement = statement.limit(draw(st.integers(0, 3))).offset(draw(st.integers(0, 2)))
    return statement


@st.composite
def of_everything(draw: st.DrawFn) -> Select[Any]:
    """Objects with conditions."""
    statement = draw(conditions(select(E)))
    if draw(st.integers(0, 5)) == 0:
        statement = statement.distinct()
    return statement


@st.composite
def of_columns(draw: st.DrawFn) -> Select[Any]:
    """Rows of columns, of aggregates and of objects."""
    columns = draw(st.lists(st.sampled_from([*COLUMNS, E]), min_size=1, max_size=4))
    return select(*columns).select_from(E)


@st.composite
def joined(draw: st.DrawFn) -> Select[Any]:
    """Joins, whose rows may lack an object, or have the same object twice."""
    chosen = draw(st.lists(st.sampled_from([E, Pair, Strict, Pair.left]), min_size=1, max_size=3))
    outer = draw(st.booleans())
    begin, end, on = draw(
        st.sampled_from(
            [
                (Pair, E, Pair.everything_id == E.key),
                (E, Pair, Pair.everything_id == E.key),
            ]
        )
    )
    statement = select(*chosen).select_from(begin).join(end, on, isouter=outer)
    statement = statement.join(Strict, Strict.left == Pair.left, isouter=outer)
    return statement.order_by(Pair.left, Pair.right, E.key, Strict.left)


@st.composite
def of_entities(draw: st.DrawFn) -> Select[Any]:
    """All rows of an entity."""
    return select(draw(st.sampled_from(ENTITIES)))


OPTIONS: list[Any] = [
    lambda statement: statement.execution_options(populate_existing=True),
    lambda statement: statement.execution_options(yield_per=1),
    lambda statement: statement.options(load_only(E.name)),
    lambda statement: statement.options(defer(E.name)),
    lambda statement: statement.with_only_columns(E.key),
    lambda statement: statement.union(select(E)),
    lambda statement: statement.subquery().select(),
    lambda statement: statement.cte("them").select(),
    lambda statement: select(E).from_statement(statement),
    lambda statement: statement.params(low=1),
    lambda statement: statement.prefix_with("/* first */"),
    lambda statement: statement.with_statement_hint("hint", "oracle"),
    lambda statement: statement.set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL),
]


@st.composite
def with_options(draw: st.DrawFn) -> Any:
    return draw(st.sampled_from(OPTIONS))(draw(of_everything()))


def of_relationships() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        [
            select(Pair).options(joinedload(Pair.everything)).order_by(Pair.left, Pair.right),
            select(Pair).options(selectinload(Pair.everything)).order_by(Pair.left, Pair.right),
            select(Strict).options(selectinload(Strict.pairs)),
            select(Strict).options(joinedload(Strict.pairs)),
            select(Pair).join(Pair.everything).where(E.key == 1).order_by(Pair.left, Pair.right),
        ]
    )


statements = st.one_of(
    of_everything(), of_columns(), joined(), of_entities(), with_options(), of_relationships()
)

CONSUMERS: dict[str, Any] = {
    "all": lambda result: (tuple(result.keys()), result.all()),
    "scalars": lambda result: result.scalars().all(),
    "scalar": lambda result: result.scalar(),
    "first": lambda result: result.first(),
    "one": lambda result: result.one(),
    "one_or_none": lambda result: result.one_or_none(),
    "scalar_one_or_none": lambda result: result.scalar_one_or_none(),
    "mappings": lambda result: [dict(row) for row in result.mappings()],
    "unique": lambda result: result.unique().all(),
    "unique scalars": lambda result: result.unique().scalars().all(),
    "columns": lambda result: result.columns(0).all(),
    "partitions": lambda result: list(result.partitions(2)),
    "yield_per": lambda result: list(result.yield_per(1)),
    "yield_per unique": lambda result: list(result.yield_per(1).unique()),
    "freeze": lambda result: result.freeze()().all(),
    "tuples": lambda result: result.tuples().all(),
    "fetchmany": lambda result: (result.fetchmany(1), result.fetchone(), result.fetchall()),
    "iterated": lambda result: list(result),
    "closed": lambda result: (result.close(), result.all()),
    "names": lambda result: [row._asdict() for row in result],
    "entity": lambda result: [row._mapping[Everything] for row in result],
    "column": lambda result: [row._mapping[Everything.key] for row in result],
    "count": lambda result: [row._mapping[COLUMNS[11]] for row in result],
}
consumers = st.sampled_from(sorted(CONSUMERS))
