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
    # For a nested function: the names in the functions around it.
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
        """Whether calls reach the function itself rather than a wrapper."""
        return self.decorators <= {"staticmethod", "classmethod"}


@dataclass(frozen=True)
class Value:
    kind: Kind
    # The result of awaiting, calling, entering or iterating; for a method, its receiver.
    of: "Value | None" = None
    # Dotted if external; empty for an awaitable that may be awaited elsewhere.
    name: str = ""
    definition: Module | Class | Function | None = None
    # For a session, its own name; for an instance, the name of its session.
    session: str = ""
    # For an instance: the attributes that its query loads; None if unknown.
    loaded: frozenset[str] | None = None
    # For a session: whether commit expires its instances; None if unknown.
    expires: bool | None = None
    # For a context manager: whether leaving it commits.
    commits: bool = False
    node: ast.expr | None = field(default=None, compare=False)


def join(one: Value | None, other: Value | None) -> Value | None:
    """The value of a name after two branches."""
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
    """The first known value, if all known values are of the same kind."""
    known = [value for value in values if value]
    return known[0] if len({value.kind for value in known}) == 1 else None
