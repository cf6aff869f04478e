"""`sync-query`: chains on `session.query()`."""

import ast

from audit_async.inference.reader import Reader
from audit_async.inference.values import Value
from audit_async.rules.select_statements import Chain, select_statement
from audit_async.source.modules import Module
from audit_async.source.syntax import last_name


def check_query(reader: Reader, node: ast.Call, callee: Value | None) -> None:
    if last_name(node.func) != "query" or not isinstance(node.func, ast.Attribute):
        return
    why = reason(reader, node.func, node, callee)
    if why:
        session = ast.unparse(node.func.value)
        instead = select_statement(session, node, method_chain(reader.module, node))
        reader.report("sync-query", node, why, instead)


def reason(
    reader: Reader, function: ast.Attribute, node: ast.Call, callee: Value | None
) -> str | None:
    match callee:
        case Value(kind="method", of=Value(kind="AsyncSession")):
            return "AsyncSession has no `query()`"
        case Value(kind="method", of=Value(kind="Session")) if reader.is_async:
            return "`query()` runs on a sync session and blocks the event loop"
        case None if reader.is_async and looks_like_session_query(function, node):
            return "`query()` exists only on sync sessions"
        case _:
            return None


def looks_like_session_query(function: ast.Attribute, node: ast.Call) -> bool:
    """Whether the receiver has the name of a session, and the first argument that of a class."""
    name = last_name(function.value).lower().lstrip("_")
    if not (name in ("db", "sess") or name.endswith(("session", "_db"))):
        return False
    entity = node.args[0] if node.args else None
    while isinstance(entity, ast.Attribute):
        entity = entity.value
    is_class = isinstance(entity, ast.Name) and entity.id[:1].isupper() and not entity.id.isupper()
    is_func = isinstance(entity, ast.Call) and ast.unparse(entity.func).startswith("func.")
    return is_class or is_func


def method_chain(module: Module, node: ast.Call) -> Chain:
    """The method calls that follow the call, with their names."""
    chain: Chain = []
    while isinstance(attribute := module.parents.get(node), ast.Attribute):
        call = module.parents.get(attribute)
        if not (isinstance(call, ast.Call) and call.func is attribute):
            break
        chain.append((attribute.attr, call))
        node = call
    return chain
