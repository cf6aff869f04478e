"""Calls of functions of SQLAlchemy, FastAPI, asyncio and other libraries."""

import ast
from dataclasses import replace

from audit_async.inference.classes import instance
from audit_async.inference.functions import result
from audit_async.inference.reader import Reader
from audit_async.inference.values import Function, Value
from audit_async.reading.call import Call
from audit_async.reading.session_factories import scoped_session, sessionmaker
from audit_async.rules.blocking_calls import check_library_call
from audit_async.rules.shared_sessions import check_gather, check_task


def library_call(reader: Reader, call: Call, name: str) -> Value | None:
    check_library_call(reader, call.node, name)
    match name:
        case "sqlalchemy.async_sessionmaker" | "sqlalchemy.sessionmaker":
            return sessionmaker(reader, call, is_async=name == "sqlalchemy.async_sessionmaker")
        case "sqlalchemy.async_scoped_session" | "sqlalchemy.scoped_session":
            return scoped_session(call)
        case "sqlalchemy.create_async_engine" | "sqlalchemy.async_engine_from_config":
            return Value("AsyncEngine")
        case "sqlalchemy.create_engine" | "sqlalchemy.engine_from_config":
            return Value("Engine")
        case "sqlalchemy.select":
            return select(reader, call)
        case "typing.cast":
            return reader.annotated(call.node.args[0]) if call.node.args else None
        case "fastapi.Depends" | "fastapi.Security" | "fastapi.params.Depends":
            return provided(reader, call.first_argument)
        case "asyncio.TaskGroup" | "anyio.create_task_group":
            return Value("context manager", of=Value("task group"))
        case "asyncio.gather" | "asyncio.wait" | "asyncio.as_completed":
            check_gather(reader, call.node)
        case "asyncio.create_task" | "asyncio.ensure_future":
            is_awaited = isinstance(reader.module.parents.get(call.node), ast.Await)
            if reader.loops and not is_awaited:
                check_task(reader, call.node, call.node.args)
    return None


def select(reader: Reader, call: Call) -> Value:
    """A statement, with its entity if it selects nothing else."""
    match call.arguments:
        case [Value(kind="class") as cls]:
            entity = instance(reader.base, cls)
        case _:
            entity = None
    if entity is None or entity.kind != "instance":
        return Value("statement")
    return Value("statement", of=replace(entity, loaded=frozenset()))


def provided(reader: Reader, dependency: Value | None) -> Value | None:
    """What FastAPI passes for `Depends(dependency)`."""
    match dependency:
        case Value(kind="function", definition=Function() as function):
            value = result(reader.base, function)
            if value and value.kind in ("awaitable", "context manager", "generator"):
                value = value.of
            return replace(value, session="") if value and value.kind == "instance" else value
        case _:
            return instance(reader.base, dependency)
