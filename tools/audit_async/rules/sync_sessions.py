"""`sync-session`: sync sessions and connections used in `async def`."""

import ast

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
