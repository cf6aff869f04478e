"""What `with` and `async with` bind."""

import ast
import re

from audit_async.inference.classes import member
from audit_async.inference.functions import result
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import ASYNC_KINDS
from audit_async.inference.values import Class, Function, Value
from audit_async.source.syntax import last_name

SESSION_NAMES = {"async_session", "db", "db_session", "session"}
SESSION_FACTORY = re.compile(r"(?:\b|_)(?:db|database|session|sessionmaker|transaction)(?:\b|_)")


def entered_value(
    reader: Reader, item: ast.withitem, manager: Value | None, *, is_async: bool
) -> Value | None:
    match manager:
        case None:
            return session_by_name(reader, item) if is_async else None
        case Value(kind="AsyncSession" | "AsyncConnection" | "Session" | "Connection"):
            # The wrong kind of `with` shows that the inference is wrong.
            return manager if (manager.kind in ASYNC_KINDS) is is_async else None
        case Value(kind="context manager" | "generator"):
            return manager.of
        case Value(kind="startable"):
            return manager.of if is_async else None
        case Value(kind="instance", definition=Class() as cls):
            return entered_instance(reader, manager, cls, is_async=is_async)
        case _:
            return None


def entered_instance(reader: Reader, manager: Value, cls: Class, *, is_async: bool) -> Value:
    method = member(reader.base, cls, "__aenter__" if is_async else "__enter__")
    if not (method and isinstance(method.definition, Function)):
        return manager
    entered = result(reader.base, method.definition)
    if entered and entered.kind == "awaitable":
        entered = entered.of
    return entered or manager


def session_by_name(reader: Reader, item: ast.withitem) -> Value | None:
    """A session, judging by the names of the variable and its factory."""
    call = item.context_expr
    if last_name(item.optional_vars) not in SESSION_NAMES or not isinstance(call, ast.Call):
        return None
    is_factory = last_name(call.func).islower() and SESSION_FACTORY.search(ast.unparse(call.func))
    return Value("AsyncSession") if is_factory and reader.module.uses_sqlalchemy else None
