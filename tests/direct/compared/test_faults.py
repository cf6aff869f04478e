"""Each fault that is planted into a plan is found by the comparison."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import bindparam, inspect, select

from app.core import direct_reads
from app.database import Database
from tests.core.both_ways import read_both_ways

from .models import Everything, Pair

PLAIN = select(Everything).order_by(Everything.key)
BOUND = select(Everything).where(Everything.key == bindparam("a"), Everything.big == bindparam("b"))
OUTER = select(Everything).select_from(Pair).outerjoin(Everything).order_by(Pair.left, Pair.right)
VALUES = {"a": 1, "b": 2**40}

make_object = direct_reads._Object.make
describe_object = direct_reads._Object.__init__
bind = direct_reads.Plan.bind
convert = direct_reads.Plan._converters


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


async def keep_connection(self: Any, *_: Any) -> None:
    await self.invalidate(ValueError("closed, but not returned"))


@pytest.mark.parametrize(
    ("owner", "name", "fault", "statement"),
    [
        (direct_reads._Object, "__init__", wrong_order_of_columns, PLAIN),
        (direct_reads._Object, "__init__", missing_attribute, PLAIN),
        (direct_reads.Plan, "_converters", missing_converter, PLAIN),
        (direct_reads.Plan, "bind", wrong_order_of_values, BOUND),
        (direct_reads._Object, "make", new_object_for_each_row, OUTER),
        (direct_reads._Object, "make", object_without_key, PLAIN),
        (direct_reads._Object, "make", object_of_nothing, OUTER),
        (direct_reads._Object, "make", object_without_path, PLAIN),
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
    direct = new_database.read.keywords["direct"]
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
