"""`sync-session`: sync sessions and connections used in `async def`."""

import ast

from audit_async.inference.functions import outcome_of_sync_call
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import ASYNC_COUNTERPART, SYNC_KINDS
from audit_async.inference.values import Function, Value
from audit_async.source.syntax import argument_nodes


def report_sync_session(
    reader: Reader, node: ast.expr, session: Value, *, name: str = "", awaited: bool = False
) -> None:
    """Report the session once, at its origin."""
    name = name or ast.unparse(node)
    if not reader.is_async or name in reader.reported_sessions:
        return
    reader.reported_sessions.add(name)
    origin = reader.session_origins.get(name, node)
    instead = async_session(name, session, is_parameter=isinstance(origin, ast.arg))
    if awaited:
        why = f"`{name}` is awaited but appears to be a sync {session.kind}"
        reader.report("sync-session", origin, why, instead, "warning")
    else:
        why = f"`{name}` is a sync {session.kind}; its queries block the event loop"
        reader.report("sync-session", origin, why, instead)


def async_session(name: str, session: Value, *, is_parameter: bool) -> str:
    if is_parameter:
        kind = ASYNC_COUNTERPART[session.kind]
        return f"{name}: {kind}, from a dependency that yields an {kind}"
    if session.kind == "Connection":
        name = name if name.isidentifier() else "connection"
        return f"async with async_engine.connect() as {name}:"
    name = name if name.isidentifier() else "session"
    return f"async with async_session() as {name}:  # an async_sessionmaker"


def record_sync_session(reader: Reader, name: str, session: Value) -> None:
    """Record for the callers of a sync function that it uses a session of its own."""
    if reader.function and not reader.is_async and name.split(".")[0] not in passed_names(reader):
        reader.outcome.sync_sessions[name] = session


def passed_names(reader: Reader) -> set[str]:
    """The parameters of the function, without the instance of a method."""
    if not reader.function:
        return set()
    parameters = reader.function.node.args
    names = [parameter.arg for parameter in [*parameters.posonlyargs, *parameters.args]]
    names += [parameter.arg for parameter in parameters.kwonlyargs]
    is_bound = reader.function.owner and "staticmethod" not in reader.function.decorators
    return set(names[1:] if is_bound else names)


def check_function_call(reader: Reader, node: ast.Call, function: Function) -> None:
    """Report calls of sync functions that use a sync session of their own."""
    found = outcome_of_sync_call(reader.base, function)
    if not found or not found.sync_sessions:
        return
    name, session = next(iter(found.sync_sessions.items()))
    record_sync_session(reader, name, session)
    call, kind = ast.unparse(node.func), session.kind
    if reader.is_async and call not in reader.reported_sessions:
        reader.reported_sessions.add(call)
        reader.report(
            "sync-session",
            node,
            f"`{call}` uses a sync {kind}, `{name}`; its queries block the event loop",
            f"await {ast.unparse(node)}, as `async def` with an {ASYNC_COUNTERPART[kind]}",
        )


def check_arguments(
    reader: Reader, node: ast.Call, callee: Value | None, values: list[Value | None]
) -> None:
    """Report sync sessions that are passed to sync functions of the code base."""
    match callee:
        case Value(kind="function", definition=Function() as function):
            if not reader.is_async or function.is_async or not function.is_undecorated:
                return
        case _:
            return
    for argument, value in zip(argument_nodes(node), values, strict=True):
        if value and value.kind in SYNC_KINDS and isinstance(argument, ast.Name | ast.Attribute):
            report_sync_session(reader, argument, value)
