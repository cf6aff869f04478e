"""The attributes that the loader options of a query load."""

import ast
from collections.abc import Iterable

LOADERS = ("load", "load_only", "eager", "defer", "Load")


def loaded_attributes(options: Iterable[ast.expr]) -> frozenset[str] | None:
    """Every attribute that the options name; None if they are built elsewhere."""
    attributes: set[str] = set()
    for option in options:
        nodes = list(ast.walk(option))
        if not any(isinstance(node, ast.Call) for node in nodes):
            return None
        if any(is_unclear(node) for node in nodes):
            return None
        attributes.update(node.attr for node in nodes if isinstance(node, ast.Attribute))
    return frozenset(attributes)


def is_unclear(node: ast.AST) -> bool:
    """Whether the node may load attributes that it does not name."""
    match node:
        case ast.Constant(value="*") | ast.Starred() | ast.Subscript():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return not name.endswith(LOADERS)
        case _:
            return False
