"""Evaluates attributes, and checks whether reading them queries the database."""

import ast
from dataclasses import replace

from audit_async.inference.classes import member
from audit_async.inference.mappings import (
    Mapping,
    loads_on_access,
    mapping_of,
    relationship_target,
)
from audit_async.inference.names import imported, lookup
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import SYNC_KINDS
from audit_async.inference.values import Class, Value
from audit_async.rules.awaits import consume
from audit_async.rules.expired_attributes import report_expired_attribute
from audit_async.rules.lazy_loads import report_lazy_load
from audit_async.source.modules import Module

COROUTINE_ATTRIBUTES = {"__await__", "close", "cr_frame", "cr_running", "send", "throw"}
UNKNOWN_SESSION_ATTRIBUTES = {"sync_session", "info", "bind"}


def evaluate_attribute(reader: Reader, node: ast.Attribute) -> Value | None:
    name = node.attr
    if name in COROUTINE_ATTRIBUTES:
        value = reader.evaluate(node.value)
    else:
        value = consume(reader, node.value)
    match value:
        case None:
            return None
        case Value(kind="external"):
            return imported(reader.base, f"{value.name}.{name}", reader.module)
        case Value(kind="module", definition=Module() as module):
            found = lookup(reader.base, module, name)
            return found or imported(reader.base, f"{value.name}.{name}", reader.module)
        case Value(kind="instance", definition=Class() as cls):
            return instance_attribute(reader, node, value, cls)
        case Value(kind="awaitable_attrs", of=Value() as owner):
            mark_loaded(reader, value.name, owner, name)
            return None
        case Value(kind="class", definition=Class() as cls):
            found = member(reader.base, cls, name)
            return found if found and found.kind not in SYNC_KINDS else None
        case Value(kind="AsyncEngine") if name == "sync_engine":
            return Value("Engine")
        case Value(kind="AsyncSession") if name in UNKNOWN_SESSION_ATTRIBUTES:
            return None
        case _:
            return Value("method", of=value, name=name)


def instance_attribute(
    reader: Reader, node: ast.Attribute, value: Value, cls: Class
) -> Value | None:
    mapping = mapping_of(reader.base, cls)
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if isinstance(node.ctx, ast.Load) and owner in reader.scope.expired and node.attr in mapping:
        reader.scope.expired.discard(owner)
        report_expired_attribute(reader, node, owner, value.session)
    if node.attr in mapping.relationships:
        return relationship(reader, node, value, cls, mapping)
    if node.attr == "awaitable_attrs":
        return Value("awaitable_attrs", of=value, name=owner)
    return member(reader.base, cls, node.attr)


def relationship(
    reader: Reader, node: ast.Attribute, value: Value, cls: Class, mapping: Mapping
) -> Value | None:
    definition = mapping.relationships[node.attr]
    target, is_collection = relationship_target(reader.base, cls, definition)
    unloaded = value.loaded is not None and node.attr not in value.loaded
    if isinstance(node.ctx, ast.Load) and unloaded and loads_on_access(definition):
        report_lazy_load(reader, node, cls.node.name, is_collection=is_collection)
        if isinstance(node.value, ast.Name):
            mark_loaded(reader, node.value.id, value, node.attr)
    if target is None or is_collection is None:
        return None
    loaded = value.loaded
    if loaded is not None:
        loaded |= back_references(reader, target, cls)
    related = Value("instance", definition=target, session=value.session, loaded=loaded)
    return Value("list", of=related) if is_collection else related


def back_references(reader: Reader, cls: Class, parent: Class) -> set[str]:
    """The relationships to the parent, whose instance the session has loaded already."""
    relationships = mapping_of(reader.base, cls).relationships
    return {
        name
        for name, definition in relationships.items()
        if relationship_target(reader.base, cls, definition)[0] is parent
    }


def mark_loaded(reader: Reader, name: str, value: Value, attribute: str) -> None:
    """Record that the attribute of the instance called `name` is loaded."""
    if name:
        loaded = None if value.loaded is None else value.loaded | {attribute}
        reader.scope.names[name] = replace(value, loaded=loaded)
