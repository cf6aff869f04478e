"""The values of calls of methods whose receiver is known."""

import ast

from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import LOCAL_ATTRIBUTES, PLAIN_METHODS
from audit_async.inference.values import Value
from audit_async.reading.async_sessions import async_session_call
from audit_async.reading.call import Call, MethodCall
from audit_async.reading.queries import engine_call, result_call, statement_call
from audit_async.rules.shared_sessions import check_task
from audit_async.rules.sync_sessions import record_sync_session, report_sync_session
from audit_async.source.syntax import argument_nodes


def method_call(reader: Reader, call: Call, receiver: Value, name: str) -> Value | None:
    if not isinstance(call.node.func, ast.Attribute):
        return None
    if name in PLAIN_METHODS.get(receiver.kind, ()):
        reader.plain_calls.add(call.node)
    method = MethodCall(
        **vars(call), receiver_node=call.node.func.value, receiver=receiver, name=name
    )
    match receiver.kind:
        case "AsyncSession" | "AsyncConnection":
            return async_session_call(reader, method)
        case "Session" | "Connection":
            return sync_session_call(reader, method)
        case "factory" if name == "begin":
            return Value("context manager", of=receiver.of, commits=True)
        case "AsyncEngine" | "Engine":
            return engine_call(method)
        case "statement":
            return statement_call(method)
        case "Result" | "ScalarResult" | "AsyncResult":
            return result_call(method)
        case "list" if name == "copy":
            return receiver
        case "task group" if name in ("create_task", "start_soon"):
            check_task(reader, call.node, argument_nodes(call.node))
    return None


def sync_session_call(reader: Reader, call: MethodCall) -> Value | None:
    if call.name not in LOCAL_ATTRIBUTES:
        report_sync_session(reader, call.receiver_node, call.receiver, awaited=call.awaited)
        record_sync_session(reader, call.receiver_text, call.receiver)
    if call.name in ("begin", "begin_nested", "connection"):
        return None
    return Value("sync result")
