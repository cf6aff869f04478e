"""The values of annotated names."""

import ast

from audit_async.inference.classes import instance
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import FACTORIES
from audit_async.inference.values import Value, first
from audit_async.source.syntax import constant_value, last_name

WRAPPERS = {"ClassVar", "Final", "Mapped", "Required"}
UNIONS = {"Optional", "Union"}
AWAITABLES = {"Awaitable", "Coroutine"}
LISTS = {"Collection", "Iterable", "List", "Sequence", "list"}
GENERATORS = {"AsyncGenerator", "AsyncIterable", "AsyncIterator", "Generator", "Iterator"}
CONTEXT_MANAGERS = {
    "AbstractAsyncContextManager",
    "AbstractContextManager",
    "AsyncContextManager",
    "ContextManager",
    "_AsyncGeneratorContextManager",
}
TYPES = {"Type", "type"}
GENERICS = {
    "Annotated",
    "Callable",
    *WRAPPERS,
    *UNIONS,
    *AWAITABLES,
    *LISTS,
    *GENERATORS,
    *CONTEXT_MANAGERS,
    *TYPES,
    *FACTORIES,
}


def annotated(reader: Reader, node: ast.expr | None) -> Value | None:
    match node:
        case ast.Constant(value=str() as text):
            return annotated_by_text(reader, text)
        case ast.Name() | ast.Attribute():
            return instance(reader.base, reader.evaluate(node))
        case ast.BinOp(op=ast.BitOr()):
            return annotated_by_union(reader, node)
        case ast.Subscript():
            return annotated_by_generic(reader, node)
        case _:
            return None


def annotated_by_text(reader: Reader, text: str) -> Value | None:
    try:
        return reader.annotated(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        return None


def annotated_by_union(reader: Reader, node: ast.BinOp) -> Value | None:
    """A union with None has the value of its other member."""
    left, right = reader.annotated(node.left), reader.annotated(node.right)
    if left and isinstance(node.right, ast.Constant):
        return left
    if right and isinstance(node.left, ast.Constant):
        return right
    return left if left == right else None


def annotated_by_generic(reader: Reader, node: ast.Subscript) -> Value | None:
    name = last_name(node.value)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not arguments:
        return None
    of = reader.annotated(arguments[0])
    match name:
        case "Annotated":
            return dependency(reader, arguments[1:]) or of
        case "Callable":
            returned = reader.annotated(arguments[-1])
            return Value("factory", of=returned) if returned else None
        case _ if name in AWAITABLES:
            return Value("awaitable", of=reader.annotated(arguments[-1]))
        case _ if name in UNIONS:
            members = [reader.annotated(part) for part in arguments if not is_none(part)]
            return members[0] if len(members) == 1 else None
        case _ if name in FACTORIES:
            return Value("factory", of=of) if of else None
        case _ if name in WRAPPERS:
            return of
        case _ if name in LISTS:
            return Value("list", of=of)
        case _ if name in GENERATORS:
            return Value("generator", of=of)
        case _ if name in CONTEXT_MANAGERS:
            return Value("context manager", of=of)
        case _ if name in TYPES:
            return Value("type", of=of)
        case _:
            return instance(reader.base, reader.evaluate(node.value))


def dependency(reader: Reader, metadata: list[ast.expr]) -> Value | None:
    """What the `Depends` in the metadata of an `Annotated` provides."""
    calls = (part for part in metadata if isinstance(part, ast.Call))
    return first(reader.evaluate(call) for call in calls if last_name(call.func) == "Depends")


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and constant_value(node) is None
