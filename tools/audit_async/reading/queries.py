"""Calls of methods of engines, statements and results."""

from dataclasses import replace

from audit_async.inference.sqlalchemy_api import COROUTINE_METHODS
from audit_async.inference.values import Value
from audit_async.reading.call import MethodCall
from audit_async.reading.loader_options import loaded_attributes


def engine_call(call: MethodCall) -> Value | None:
    is_async = call.receiver.kind == "AsyncEngine"
    connection = Value("AsyncConnection" if is_async else "Connection")
    match call.name:
        case "connect":
            return Value("startable", of=connection) if is_async else connection
        case "begin":
            return Value("context manager", of=connection)
        case "execution_options":
            return call.receiver
        case "dispose" if is_async:
            return call.coroutine()
        case _:
            return None


def statement_call(call: MethodCall) -> Value | None:
    statement = call.receiver
    match call.name:
        case "alias" | "cte" | "exists" | "lateral" | "scalar_subquery" | "subquery":
            return None
        case "add_columns" | "with_only_columns" | "from_statement" | "union" | "union_all":
            return replace(statement, of=None)
        case "options" if statement.of:
            before, added = statement.of.loaded, loaded_attributes(call.node.args)
            loaded = None if before is None or added is None else before | added
            return replace(statement, of=replace(statement.of, loaded=loaded))
        case _:
            return statement


def result_call(call: MethodCall) -> Value | None:
    result = call.receiver
    match call.name:
        case "scalars":
            return replace(result, kind="ScalarResult") if result.kind == "Result" else result
        case "unique" | "yield_per":
            return result
        case "mappings" | "columns" | "tuples":
            return replace(result, of=None)
    found = fetched(result, call.name)
    if result.kind == "AsyncResult" and call.name in COROUTINE_METHODS["AsyncResult"]:
        return call.coroutine(found)
    return found


def fetched(result: Value, method: str) -> Value | None:
    item = result.of
    if item and result.kind == "Result":
        item = Value("row", of=item)
    match method:
        case "all" | "fetchall" | "fetchmany" | "partitions":
            return Value("list", of=item) if item else None
        case "first" | "one" | "one_or_none" | "fetchone":
            return item
        case _ if method.startswith("scalar"):
            return result.of
        case _:
            return None
