"""What calls of a function return."""

from dataclasses import replace

from audit_async.inference.codebase import CodeBase, memoized
from audit_async.inference.outcome import Outcome
from audit_async.inference.values import Function, Value, first_if_alike
from audit_async.source.syntax import is_generator, is_stub

CONTEXT_MANAGER_DECORATORS = {"asynccontextmanager", "contextmanager"}


@memoized
def outcome(base: CodeBase, function: Function) -> Outcome:
    reader = base.reader(function.module, function)
    reader.run()
    return reader.outcome


def outcome_of_sync_call(base: CodeBase, function: Function) -> Outcome | None:
    """What a call of a sync function does itself; None if it only starts, or is decorated."""
    if function.is_async or not function.is_undecorated:
        return None
    found = outcome(base, function)
    return None if found is None or found.yielded else found


@memoized
def result(base: CodeBase, function: Function) -> Value | None:
    """The value of a call of the function."""
    value = annotated_or_returned(base, function)
    if function.decorators & CONTEXT_MANAGER_DECORATORS:
        entered = value.of if value and value.kind == "generator" else value
        return Value("context manager", of=entered)
    if is_generator(function.node):
        return value
    if function.is_async:
        return coroutine(function, value)
    if value and value.kind == "awaitable":
        # A sync function may return a coroutine for its caller to await.
        return replace(value, name="")
    return value


def annotated_or_returned(base: CodeBase, function: Function) -> Value | None:
    value = base.reader(function.module, function).annotated(function.node.returns)
    if value and value.expires is not None:
        return value
    found = outcome(base, function)
    if found is None:
        return value
    value = first_if_alike(found.yielded) or first_if_alike(found.returned) or value
    if value and found.yielded and value.kind != "generator":
        return Value("generator", of=value)
    return value


def coroutine(function: Function, value: Value | None) -> Value:
    # A decorated function, or an override of an abstract one, may be sync.
    abstract = function.owner and is_stub(function.node)
    certain = function.is_undecorated and not abstract
    return Value("awaitable", of=value, name=function.node.name if certain else "")
