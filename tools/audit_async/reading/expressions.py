"""The values of awaits, subscripts and comprehensions."""

import ast
from dataclasses import replace

from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import ITERABLE_KINDS
from audit_async.inference.values import Value
from audit_async.reading.annotations import GENERICS
from audit_async.reading.assignments import bind
from audit_async.reading.calls import evaluate_call
from audit_async.rules.awaits import consume, report_needless_await
from audit_async.source.syntax import Comprehension, constant_value, last_name


def evaluate_await(reader: Reader, node: ast.Await) -> Value | None:
    if isinstance(node.value, ast.Call):
        value = evaluate_call(reader, node.value, awaited=True)
    else:
        value = reader.evaluate(node.value)
    if node.value in reader.plain_calls:
        report_needless_await(reader, node)
        return value
    return value.of if value and value.kind in ("awaitable", "startable") else None


def evaluate_subscript(reader: Reader, node: ast.Subscript) -> Value | None:
    if last_name(node.value) in GENERICS:
        return Value("type", of=reader.annotated(node))
    value = consume(reader, node.value)
    reader.evaluate(node.slice)
    match value:
        case Value(kind="list"):
            return value if isinstance(node.slice, ast.Slice) else value.of
        case Value(kind="row") if constant_value(node.slice) == 0:
            return value.of
        case Value(kind="type" | "class"):
            return value
        case _:
            return None


def evaluate_comprehension(reader: Reader, node: Comprehension) -> Value | None:
    before = reader.scope
    reader.scope = before.copy()
    for generator in node.generators:
        bind(reader, generator.target, element(consume(reader, generator.iter)))
        for condition in generator.ifs:
            consume(reader, condition, tested=True)
    if isinstance(node, ast.DictComp):
        reader.evaluate(node.key)
        of = reader.evaluate(node.value)
    else:
        of = reader.evaluate(node.elt)
    reader.scope = before
    # The node of a list of coroutines, which `asyncio.gather(*tasks)` may get.
    listed = Value("list", of=of)
    return replace(listed, node=node) if isinstance(node, ast.ListComp) else listed


def element(iterable: Value | None) -> Value | None:
    return iterable.of if iterable and iterable.kind in ITERABLE_KINDS else None
