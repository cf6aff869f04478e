"""Binds values to the targets of assignments."""

import ast
from collections.abc import Sequence
from dataclasses import replace

from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import SYNC_KINDS
from audit_async.inference.values import Value
from audit_async.rules.awaits import (
    consume,
    is_database_coroutine,
    is_never_awaited,
    report_missing_await,
)


def bind(
    reader: Reader, target: ast.expr, value: Value | None, node: ast.expr | None = None
) -> None:
    """Bind the value; `node` is the expression that it comes from, if that is known."""
    match target:
        case ast.Name(id=name):
            bind_name(reader, name, value, node)
        case ast.Attribute():
            bind_attribute(reader, target, value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            unpack(reader, targets, value, node)
        case ast.Starred():
            bind(reader, target.value, None)
        case _:
            reader.evaluate(target)


def bind_name(reader: Reader, name: str, value: Value | None, node: ast.expr | None) -> None:
    if value and value.kind == "AsyncSession":
        value = replace(value, session=name)
    reader.scope.names[name] = value
    reader.scope.expired.discard(name)
    reader.session_origins.pop(name, None)
    if value and value.kind in SYNC_KINDS and node is not None:
        reader.session_origins[name] = node
    if is_database_coroutine(value) and is_never_awaited(reader, name):
        report_missing_await(reader, value)


def bind_attribute(reader: Reader, target: ast.Attribute, value: Value | None) -> None:
    if not isinstance(target.value, ast.Name):
        reader.evaluate(target)
        return
    name, owner = target.attr, consume(reader, target.value)
    if owner is None:
        return
    if reader.function and owner.definition == reader.function.owner:
        reader.outcome.attributes[name] = value
    if owner.kind == "instance" and owner.loaded is not None:
        loaded = owner.loaded | {name}
        reader.scope.names[target.value.id] = replace(owner, loaded=loaded)


def unpack(
    reader: Reader, targets: Sequence[ast.expr], value: Value | None, node: ast.expr | None
) -> None:
    for index, target in enumerate(targets):
        part = value.of if value and value.kind == "row" and index == 0 else None
        if isinstance(node, ast.Tuple) and len(node.elts) == len(targets):
            part = reader.evaluate(node.elts[index])
        bind(reader, target, part)
