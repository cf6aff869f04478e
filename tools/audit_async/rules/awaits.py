"""`missing-await` and `needless-await`."""

import ast

from audit_async.inference.reader import Reader
from audit_async.inference.values import Value
from audit_async.source.edits import statement_with

# Parents of a name that cannot pass its coroutine on to an `await`.
TESTS = (ast.Compare, ast.UnaryOp, ast.If, ast.Attribute)


def consume(reader: Reader, node: ast.expr, *, tested: bool = False) -> Value | None:
    """Evaluate an expression whose result is needed at once, so it must not be a coroutine.

    A name that is only `tested` may still be awaited later.
    """
    value = reader.evaluate(node)
    if tested and isinstance(node, ast.Name):
        return value
    if report_missing_await(reader, value) and isinstance(node, ast.Name):
        reader.scope.names[node.id] = None
    return None if value and value.kind == "awaitable" else value


def report_missing_await(reader: Reader, value: Value | None) -> bool:
    if value is None or value.kind != "awaitable" or not value.name or value.node is None:
        return False
    awaited = statement_with(reader.module, value.node, ast.Await(value.node))
    reader.report(
        "missing-await",
        value.node,
        f"`{value.name}()` returns a coroutine that is never awaited",
        awaited if reader.is_async else f"in `async def`: {awaited}",
    )
    return True


def report_needless_await(reader: Reader, node: ast.Await) -> None:
    assert isinstance(node.value, ast.Call)
    reader.report(
        "needless-await",
        node,
        f"`{ast.unparse(node.value.func)}()` returns no coroutine to await",
        statement_with(reader.module, node, node.value),
    )


def is_database_coroutine(value: Value | None) -> bool:
    """Whether the coroutine comes from a session, connection or result."""
    return bool(value and value.kind == "awaitable" and "." in value.name)


def is_never_awaited(reader: Reader, name: str) -> bool:
    """Whether the function neither awaits nor returns nor passes on the value of the name."""
    if not reader.function:
        return False
    parents = reader.module.parents
    return all(
        isinstance(parents.get(use), TESTS)
        for use in ast.walk(reader.function.node)
        if isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load)
    )
