"""The values of calls."""

import ast
from dataclasses import replace

from audit_async.inference.classes import instance, member
from audit_async.inference.functions import result
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import words
from audit_async.inference.values import Class, Function, Value
from audit_async.reading.call import Call
from audit_async.reading.library_calls import library_call
from audit_async.reading.method_calls import method_call
from audit_async.reading.session_factories import expires_on_commit
from audit_async.rules import blocking_calls, sync_sessions
from audit_async.rules.awaits import consume
from audit_async.rules.sync_queries import check_query
from audit_async.source.syntax import argument_nodes

# Builtins that use the values of their arguments at once.
CONSUMERS = words(
    "all any bool dict enumerate float int iter len list max min next set sorted str sum tuple zip"
)


def evaluate_call(reader: Reader, node: ast.Call, *, awaited: bool = False) -> Value | None:
    callee = reader.evaluate(node.func)
    if isinstance(node.func, ast.Name) and node.func.id in CONSUMERS and not callee:
        arguments = [consume(reader, argument) for argument in node.args]
    else:
        arguments = [reader.evaluate(argument) for argument in node.args]
    named = [reader.evaluate(keyword.value) for keyword in node.keywords]
    if not awaited:
        sync_sessions.check_arguments(reader, node, callee, [*arguments, *named])
        check_query(reader, node, callee)
    keywords = {k.arg: value for k, value in zip(node.keywords, named, strict=True)}
    return returned(reader, Call(node, callee, arguments, keywords, awaited))


def returned(reader: Reader, call: Call) -> Value | None:
    match call.callee:
        case Value(kind="method", of=Value() as receiver, name=name):
            return method_call(reader, call, receiver, name)
        case Value(kind="external", name=name):
            return library_call(reader, call, name)
        case Value(kind="type", of=Value(kind="AsyncSession") as session):
            return replace(session, expires=expires_on_commit(call.node))
        case Value(kind="type" | "factory", of=of):
            return of
        case Value(kind="class") as cls:
            return instance(reader.base, cls)
        case Value(kind="function", definition=Function() as function):
            blocking_calls.check_function_call(reader, call.node, function)
            sync_sessions.check_function_call(reader, call.node, function)
            return returned_by(reader, function, call.node)
        case Value(kind="instance", definition=Class() as cls):
            method = member(reader.base, cls, "__call__")
            if method and isinstance(method.definition, Function):
                return returned_by(reader, method.definition, call.node)
            return None
        case Value(kind="AsyncSession" | "Session") as scoped_session:
            return scoped_session
        case _:
            return None


def returned_by(reader: Reader, function: Function, node: ast.Call) -> Value | None:
    """What the function returns, in terms of the session that the caller passes."""
    value = result(reader.base, function)
    if value is None:
        return None
    names = (argument.id for argument in argument_nodes(node) if isinstance(argument, ast.Name))
    sessions = (name for name in names if is_async_session(reader.lookup(name)))
    return replace(with_session(value, next(sessions, "")), node=node)


def is_async_session(value: Value | None) -> bool:
    return bool(value and value.kind == "AsyncSession")


def with_session(value: Value, session: str) -> Value:
    """The instances in the value belong to the session that the caller passed."""
    of = with_session(value.of, session) if value.of else None
    if value.kind == "instance" and value.session:
        return replace(value, of=of, session=session)
    return replace(value, of=of)
