"""Effects of session methods on the instances in the session."""

import ast
from dataclasses import replace

from audit_async.inference.reader import Reader
from audit_async.inference.values import Value
from audit_async.rules.expired_attributes import sessions_expire
from audit_async.source.syntax import constant_value, keyword_argument, last_name


def commit(reader: Reader, session: Value) -> None:
    expires = session.expires
    # If the sessionmaker is unknown, those of the whole code base decide.
    if expires is None and reader.findings is not None:
        expires = sessions_expire(reader.base)
    if not expires:
        return
    for name, value in reader.scope.names.items():
        if value and value.kind == "instance" and value.session == session.session != "":
            reader.scope.expired.add(name)


def refresh(reader: Reader, node: ast.Call) -> None:
    if not node.args or not isinstance(node.args[0], ast.Name):
        return
    name = node.args[0].id
    reader.scope.expired.discard(name)
    value = reader.lookup(name)
    if value is None or value.kind != "instance" or value.loaded is None:
        return
    attributes = keyword_argument(node, "attribute_names")
    if attributes is None and len(node.args) > 1:
        attributes = node.args[1]
    if isinstance(attributes, ast.List | ast.Tuple | ast.Set):
        names = {constant_value(part) or last_name(part) for part in attributes.elts}
        loaded = value.loaded | {name for name in names if isinstance(name, str)}
        reader.scope.names[name] = replace(value, loaded=loaded)
    elif attributes is not None:
        reader.scope.names[name] = replace(value, loaded=None)


def attach(reader: Reader, node: ast.expr, session: str) -> None:
    for part in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if isinstance(part, ast.Name):
            value = reader.scope.names.get(part.id)
            if value and value.kind == "instance":
                reader.scope.names[part.id] = replace(value, session=session)


def detach(reader: Reader, node: ast.expr) -> None:
    attach(reader, node, "")
