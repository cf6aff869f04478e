"""Base classes, attributes and instances of the classes of a code base."""

import ast
from collections import defaultdict

from audit_async.inference.codebase import CodeBase, memoized
from audit_async.inference.functions import outcome, result
from audit_async.inference.sqlalchemy_api import ASYNC_KINDS, FACTORIES
from audit_async.inference.values import Class, Function, Value, first
from audit_async.source.syntax import FunctionNode, own_nodes


@memoized
def instance(base: CodeBase, value: Value | None) -> Value | None:
    """An instance of the class `value`, from a call or an annotation."""
    match value:
        case Value(kind="type"):
            return value.of
        case Value(kind="class", definition=Class() as cls):
            return instance_of_class(base, cls)
        case Value(kind="external") if value.name.startswith("sqlalchemy."):
            kind = FACTORIES.get(value.name.split(".")[1])
            # `class_` decides whether a `sessionmaker` makes sync or async sessions.
            return Value("factory", of=Value(kind)) if kind and kind in ASYNC_KINDS else None
        case _:
            return None


def instance_of_class(base: CodeBase, cls: Class) -> Value:
    for ancestor in lineage(base, cls) or ():
        for node in ancestor.node.bases:
            parent = base.reader(ancestor.module).evaluate(node)
            if parent and parent.kind == "type" and parent.of:
                return parent.of
    return Value("instance", definition=cls)


@memoized
def lineage(base: CodeBase, cls: Class) -> list[Class]:
    """The class and its bases that the code base defines, nearest first."""
    classes = [cls]
    for current in classes:
        for node in current.node.bases:
            name = node.value if isinstance(node, ast.Subscript) else node
            value = base.reader(current.module).evaluate(name)
            if value and isinstance(value.definition, Class) and value.definition not in classes:
                classes.append(value.definition)
    return classes


@memoized
def member(base: CodeBase, cls: Class, name: str) -> Value | None:
    """The value of an attribute of the class or its instances."""
    return first(own_member(base, ancestor, name) for ancestor in lineage(base, cls) or ())


def own_member(base: CodeBase, cls: Class, name: str) -> Value | None:
    found = None
    for node in cls.node.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=target)) if target == name:
                found = base.reader(cls.module).annotated(node.annotation)
            case ast.Assign(targets=[ast.Name(id=target)]) if target == name:
                found = base.reader(cls.module).evaluate(node.value)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                function = Function(node, cls.module, cls)
                if function.decorators & {"property", "cached_property"}:
                    return result(base, function)
                return Value("function", definition=function, name=name)
    return found or assigned_in_methods(base, cls, name)


def assigned_in_methods(base: CodeBase, cls: Class, name: str) -> Value | None:
    for node in (assigning_methods(base, cls) or {}).get(name, ()):
        found = outcome(base, Function(node, cls.module, cls))
        if found and (value := found.attributes.get(name)):
            return value
    return None


@memoized
def assigning_methods(base: CodeBase, cls: Class) -> dict[str, list[FunctionNode]]:
    """For each attribute, the methods that assign to it."""
    methods: dict[str, list[FunctionNode]] = defaultdict(list)
    for node in cls.node.body:
        if isinstance(node, FunctionNode):
            for part in own_nodes(node):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    methods[part.attr].append(node)
    return methods
