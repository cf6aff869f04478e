"""The codes of a service's error responses with their statuses, read from its code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Errors of FastAPI and Starlette: an unreadable body, an unknown path, and an unknown method.
OF_LIBRARIES = {"bad_request": 400, "not_found": 404, "method_not_allowed": 405}


def error_codes(service: Path) -> dict[str, int]:
    """The codes and statuses of all error responses that the code in `app` can return."""
    nodes = [
        node
        for path in sorted(service.glob("app/**/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
    ]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    return {
        **OF_LIBRARIES,
        **{
            code_of(node): status_of(node, classes)
            for node in classes.values()
            if is_domain_error(node, classes)
        },
        **dict(database_codes(nodes, classes["ErrorKind"])),
        **dict(literal_codes(nodes)),
    }


def bases_of(node: ast.ClassDef) -> list[str]:
    return [base.id for base in node.bases if isinstance(base, ast.Name)]


def is_domain_error(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    names = bases_of(node)
    return "DomainError" in names or any(
        is_domain_error(classes[name], classes) for name in names if name in classes
    )


def declared(node: ast.ClassDef, name: str) -> object:
    """The value of an attribute that a class declares; None if it does not."""
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name:
            return ast.literal_eval(line.value)
    return None


def code_of(node: ast.ClassDef) -> str:
    """The code that a domain error declares, or its name in snake case."""
    return str(declared(node, "code") or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower())


def status_of(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> int:
    """The status that a domain error declares or inherits."""
    status = declared(node, "status")
    if isinstance(status, int):
        return status
    return next(status_of(classes[name], classes) for name in bases_of(node) if name in classes)


def database_codes(nodes: list[ast.AST], kinds: ast.ClassDef) -> Iterator[tuple[str, int]]:
    """The codes of database errors, from the table of their statuses."""
    values = {
        ast.unparse(line.targets[0]): str(ast.literal_eval(line.value))
        for line in kinds.body
        if isinstance(line, ast.Assign)
    }
    [table] = [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DATABASE_PROBLEMS"
    ]
    assert isinstance(table, ast.Dict)
    for kind, response in zip(table.keys, table.values, strict=True):
        assert isinstance(kind, ast.Attribute)
        yield values.pop(kind.attr), ast.literal_eval(response)[0]
    assert not values, f"database errors without a status: {values}"


def literal_codes(nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """The codes in calls such as `problem(421, "Host not allowed.", "unknown_host")`."""
    for node in nodes:
        match node:
            case ast.Call(
                ast.Name("problem"), [ast.Constant(int(status)), _, ast.Constant(str(code)), *_]
            ):
                yield code, status
            case ast.Raise(ast.Call(ast.Name("HTTPException"), [ast.Constant(413), *_])):
                yield "content_too_large", 413
            case ast.Raise(ast.Call(ast.Name("HTTPException"))):
                raise ValueError(f"{ast.unparse(node)}: add the code of its status.")
