"""Calls that create sessionmakers and scoped sessions."""

import ast

from audit_async.inference.classes import instance
from audit_async.inference.reader import Reader
from audit_async.inference.values import Value, first
from audit_async.reading.call import Call
from audit_async.source.syntax import constant_value, keyword_argument


def expires_on_commit(call: ast.Call) -> bool | None:
    """Whether the sessions of this call expire instances on commit; None if unknown."""
    option = keyword_argument(call, "expire_on_commit")
    if option is None:
        has_unknown_options = any(keyword.arg is None for keyword in call.keywords)
        return None if has_unknown_options else True
    value = constant_value(option)
    return value if isinstance(value, bool) else None


def sessionmaker(reader: Reader, call: Call, *, is_async: bool) -> Value | None:
    session = made_by_class(reader, call.keywords.get("class_"))
    if is_async or (session and session.kind == "AsyncSession"):
        return Value("factory", of=Value("AsyncSession", expires=expires_on_commit(call.node)))
    if keyword_argument(call.node, "class_") or None in call.keywords:
        return Value("factory", of=session) if session else None
    bound_to = first([call.first_argument, call.keywords.get("bind")])
    if bound_to and bound_to.kind == "AsyncEngine":
        return None
    return Value("factory", of=Value("Session"))


def made_by_class(reader: Reader, cls: Value | None) -> Value | None:
    return instance(reader.base, cls) if cls else None


def scoped_session(call: Call) -> Value | None:
    factory = call.first_argument
    return factory.of if factory and factory.kind == "factory" else None
