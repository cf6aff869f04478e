"""Calls of methods of async sessions and connections."""

import ast
from dataclasses import replace

from audit_async.inference.classes import instance
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import COROUTINE_METHODS
from audit_async.inference.values import Value
from audit_async.reading.call import MethodCall
from audit_async.reading.loader_options import loaded_attributes
from audit_async.reading.session_effects import attach, commit, detach, refresh
from audit_async.source.syntax import keyword_argument


def async_session_call(reader: Reader, call: MethodCall) -> Value | None:
    match call.name:
        case "execute":
            return call.coroutine(Value("Result", of=selected(call)))
        case "scalars" | "exec":
            return call.coroutine(Value("ScalarResult", of=selected(call)))
        case "scalar":
            return call.coroutine(selected(call))
        case "get" | "get_one":
            return call.coroutine(instance_by_key(reader, call))
        case "merge":
            return call.coroutine(call.first_argument)
        case "stream" | "stream_scalars":
            stream = call.coroutine(Value("AsyncResult", of=selected(call)))
            # A connection's stream is also an async context manager.
            is_connection = call.receiver.kind == "AsyncConnection"
            return replace(stream, kind="startable") if is_connection else stream
        case "connection":
            return call.coroutine(Value("AsyncConnection"))
        case "begin" | "begin_nested":
            return Value("startable", of=call.receiver, commits=call.name == "begin")
    change_session(reader, call)
    return call.coroutine() if call.name in COROUTINE_METHODS[call.receiver.kind] else None


def selected(call: MethodCall) -> Value | None:
    """The instance that a row of the statement contains."""
    match call.first_argument:
        case Value(kind="statement", of=Value() as entity):
            return replace(entity, session=call.receiver_text)
        case _:
            return None


def instance_by_key(reader: Reader, call: MethodCall) -> Value | None:
    cls = call.first_argument
    if cls is None or cls.kind != "class":
        return None
    found = instance(reader.base, cls)
    if found is None or found.kind != "instance":
        return None
    match keyword_argument(call.node, "options"):
        case None:
            loaded: frozenset[str] | None = frozenset()
        case ast.List(elts=options) | ast.Tuple(elts=options):
            loaded = loaded_attributes(options)
        case _:
            loaded = None
    return replace(found, loaded=loaded, session=call.receiver_text)


def change_session(reader: Reader, call: MethodCall) -> None:
    match call.name:
        case "commit" if call.awaited:
            commit(reader, replace(call.receiver, session=call.receiver_text))
        case "refresh":
            refresh(reader, call.node)
        case "add" | "add_all":
            for argument in call.node.args:
                attach(reader, argument, call.receiver_text)
        case "delete":
            # Commit does not expire deleted instances.
            for argument in call.node.args:
                detach(reader, argument)
