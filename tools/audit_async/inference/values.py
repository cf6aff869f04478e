"""Abstract values: what an expression evaluates to, as far as the rules need to know."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from audit_async.source.modules import Module
from audit_async.source.syntax import FunctionNode, last_name

Kind = Literal[
    # Definitions
    "module",
    "class",
    "function",
    "method",
    "external",
    "type",
    "factory",
    # SQLAlchemy
    "AsyncConnection",
    "AsyncEngine",
    "AsyncResult",
    "AsyncSession",
    "Connection",
    "Engine",
    "Result",
    "ScalarResult",
    "Session",
    "awaitable_attrs",
    "row",
    "startable",
    "statement",
    "sync result",
    # Python
    "awaitable",
    "context manager",
    "generator",
    "instance",
    "list",
    "task group",
]


@dataclass(frozen=True)
class Class:
    node: ast.ClassDef
    module: Module = field(compare=False)


@dataclass(frozen=True)
class Function:
    node: FunctionNode
    module: Module = field(compare=False)
    owner: Class | None = field(default=None, compare=False)
    # The names of the functions around a nested one.
    enclosing: "dict[str, Value | None]" = field(default_factory=dict, compare=False)

    @cached_property
    def decorators(self) -> set[str]:
        nodes = (d.func if isinstance(d, ast.Call) else d for d in self.node.decorator_list)
        return {last_name(node) for node in nodes}

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def is_undecorated(self) -> bool:
        """Whether calls reach the function itself, not something that a decorator made of it."""
        return self.decorators <= {"staticmethod", "classmethod"}


@dataclass(frozen=True)
class Value:
    kind: Kind
    # What awaiting, calling, entering or iterating gives; of a method, its receiver.
    of: "Value | None" = None
    # Dotted for what is external; empty for an awaitable that may be awaited somewhere else.
    name: str = ""
    definition: Module | Class | Function | None = None
    # Of a session its own name, of an instance that of its session, both as source text.
    session: str = ""
    # Of an instance: the attributes that its query loads; None if unknown.
    loaded: frozenset[str] | None = None
    # Of a session: whether commit expires its instances; None if unknown.
    expires: bool | None = None
    # Of a context manager: whether leaving it commits.
    commits: bool = False
    node: ast.expr | None = field(default=None, compare=False)


def join(one: Value | None, other: Value | None) -> Value | None:
    """What a name is after two branches that give it these values."""
    if one is None or other is None or one.kind != other.kind:
        return None
    if one == other:
        return one
    if one.kind in ("statement", "instance", "Result", "ScalarResult", "list"):
        loaded = None
        if one.loaded is not None and other.loaded is not None:
            loaded = one.loaded | other.loaded
        if one.definition is other.definition:
            return replace(one, loaded=loaded, of=join(one.of, other.of))
    if one.kind == "AsyncSession":
        return replace(one, expires=None)
    return None


def first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value), None)


def first_if_alike(values: Iterable[Value | None]) -> Value | None:
    """The first known value, if all known ones are of the same kind."""
    known = [value for value in values if value]
    return known[0] if len({value.kind for value in known}) == 1 else None
