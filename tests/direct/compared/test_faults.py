"""Each fault that is planted into a plan is found by the comparison."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import bindparam, inspect, select
from sqlalchemy.orm import selectinload

from app.core import loaded_collections, plans
from app.database import Database
from tests.core.both_ways import read_both_ways

from .models import Everything, Pair
from .relationships import Author

PLAIN = select(Everything).order_by(Everything.key)
BOUND = select(Everything).where(Everything.key == bindparam("a"), Everything.big == bindparam("b"))
OUTER = select(Everything).select_from(Pair).outerjoin(Everything).order_by(Pair.left, Pair.right)
WITH_BOOKS = select(Author).options(selectinload(Author.books)).order_by(Author.id)
WITH_CHILDREN = select(Author).options(selectinload(Author.pupils)).order_by(Author.id)
VALUES = {"a": 1, "b": 2**40}

make_object = plans.Object.make
describe_object = plans.Object.__init__
bind = plans.Plan.bind
convert = plans.Plan._converters
convert_rows = plans.Plan.convert


def wrong_order_of_columns(self: Any, *arguments: Any) -> None:
    describe_object(self, *arguments)
    names, positions = zip(*self._attributes, strict=True)
    self._attributes = list(zip(names, positions[1:] + positions[:1], strict=True))


def missing_attribute(self: Any, *arguments: Any) -> None:
    describe_object(self, *arguments)
    self._attributes.pop()


def missing_converter(self: Any, types: Any) -> Any:
    names = [column.name for column in self.compiled._result_columns]
    return [each for each in convert(self, types) if names[each[0]] != "the name"]


def wrong_order_of_values(self: Any, *arguments: Any) -> Any:
    sql, values = bind(self, *arguments)
    if isinstance(values, dict):
        return sql, dict(zip(values, reversed(values.values()), strict=True))
    return sql, tuple(reversed(values))


def new_object_for_each_row(self: Any, row: Any, _: Any) -> Any:
    return make_object(self, row, {})


def object_without_key(self: Any, row: Any, made: Any) -> Any:
    found = make_object(self, row, made)
    if found is not None:
        inspect(found).key = None
    return found


def object_of_nothing(self: Any, row: Any, made: Any) -> Any:
    return make_object(self, row, made) or self._new_instance()


def object_without_path(self: Any, row: Any, made: Any) -> Any:
    found = make_object(self, row, made)
    if found is not None:
        del inspect(found).load_path
    return found


def wrong_order_of_children(self: Any) -> list[Any]:
    return self.rows[::-1]


def children_of_other_parents(self: Any) -> list[Any]:
    owners = [row[0] for row in self.rows]
    return [
        (owner, *row[1:]) for owner, row in zip(owners[1:] + owners[:1], self.rows, strict=True)
    ]


def missing_child(self: Any) -> list[Any]:
    return self.rows[1:]


def children_without_path(self: Any, *arguments: Any) -> None:
    describe_object(self, *arguments)
    if ".books" in str(self.load_path):
        self.load_path = inspect(Author)._path_registry


async def no_collection(self: Any, *_: Any) -> None:
    """Do nothing."""


def children_that_are_no_parents(self: Any, types: Any, rows: Any, _: Any) -> Any:
    return convert_rows(self, types, rows, {})


async def keep_connection(self: Any, *_: Any) -> None:
    await self.invalidate(ValueError("closed, but not returned"))


@pytest.mark.parametrize(
    ("owner", "name", "fault", "statement"),
    [
        (plans.Object, "__init__", wrong_order_of_columns, PLAIN),
        (plans.Object, "__init__", missing_attribute, PLAIN),
        (plans.Plan, "_converters", missing_converter, PLAIN),
        (plans.Plan, "bind", wrong_order_of_values, BOUND),
        (plans.Object, "make", new_object_for_each_row, OUTER),
        (plans.Object, "make", object_without_key, PLAIN),
        (plans.Object, "make", object_of_nothing, OUTER),
        (plans.Object, "make", object_without_path, PLAIN),
        (plans.Object, "__init__", children_without_path, WITH_BOOKS),
        (loaded_collections.Rows, "_raw_all_tuples", wrong_order_of_children, WITH_BOOKS),
        (loaded_collections.Rows, "_raw_all_tuples", children_of_other_parents, WITH_BOOKS),
        (loaded_collections.Rows, "_raw_all_tuples", missing_child, WITH_BOOKS),
        (loaded_collections.Collection, "load", no_collection, WITH_BOOKS),
        (plans.Plan, "convert", children_that_are_no_parents, WITH_CHILDREN),
        (None, "__aexit__", keep_connection, PLAIN),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_fault_is_found(
    loop: asyncio.Runner,
    new_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    fault: Any,
    statement: Any,
) -> None:
    direct = new_database.read_primary.keywords["direct"]
    if owner is None:
        owner = direct._connect
        if not isinstance(owner, type):
            return  # on SQLite, reads share a connection
    values = VALUES if statement is BOUND else None
    assert loop.run(read_both_ways(new_database, statement, values))
    direct._plans.clear()
    monkeypatch.setattr(owner, name, fault)
    with pytest.raises(AssertionError):
        loop.run(read_both_ways(new_database, statement, values))
