"""The codes of a service's error responses, read from its code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Errors of FastAPI and Starlette: an unreadable body, an unknown path, and an unknown method.
OF_LIBRARIES = {"bad_request", "not_found", "method_not_allowed"}


def error_codes(service: Path) -> set[str]:
    """The codes of all error responses that the code in `app` can return."""
    nodes = [
        node
        for path in sorted(service.glob("app/**/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
    ]
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    return {
        *OF_LIBRARIES,
        *(code_of(node) for node in classes.values() if is_domain_error(node, classes)),
        *values_of_enum(classes["ErrorKind"]),
        *literal_codes(nodes),
    }


def is_domain_error(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    names = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return "DomainError" in names or any(
        is_domain_error(classes[name], classes) for name in names if name in classes
    )


def code_of(node: ast.ClassDef) -> str:
    """The code that a domain error declares, or its name in snake case."""
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
            return str(ast.literal_eval(line.value))
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()


def values_of_enum(node: ast.ClassDef) -> Iterator[str]:
    return (str(ast.literal_eval(line.value)) for line in node.body if isinstance(line, ast.Assign))


def literal_codes(nodes: list[ast.AST]) -> Iterator[str]:
    """The codes in calls such as `problem(421, "Host not allowed.", "unknown_host")`."""
    for node in nodes:
        match node:
            case ast.Call(ast.Name("problem"), [_, _, ast.Constant(str(code)), *_]):
                yield code
            case ast.Raise(ast.Call(ast.Name("HTTPException"), [ast.Constant(413), *_])):
                yield "content_too_large"
            case ast.Raise(ast.Call(ast.Name("HTTPException"))):
                raise ValueError(f"{ast.unparse(node)}: add the code of its status.")
