"""Source text in which one node is replaced by another."""

import ast

from audit_async.source.modules import Module

# A suggestion shows one statement, or part of the header of a compound statement.
ENCLOSING = (ast.mod, ast.ExceptHandler, ast.match_case)
HEADER_PARTS = (ast.comprehension, ast.withitem, ast.Lambda)


def statement_with(module: Module, old: ast.AST, new: ast.AST) -> str:
    """The statement or header part around `old`, with `new` in place of `old`."""
    top = old
    while not isinstance(top, ast.stmt):
        parent = module.parents.get(top)
        if parent is None or isinstance(parent, ENCLOSING + HEADER_PARTS):
            break
        if isinstance(parent, ast.stmt) and hasattr(parent, "body"):
            break
        top = parent
    return ast.unparse(replace_node(top, old, new))


def replace_node(node: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """A copy of `node` with `new` in place of `old`."""
    if node is old:
        return new

    def copied(value: object) -> object:
        if isinstance(value, list):
            return [copied(item) for item in value]
        return replace_node(value, old, new) if isinstance(value, ast.AST) else value

    fields = {name: copied(value) for name, value in ast.iter_fields(node)}
    return ast.copy_location(type(node)(**fields), node)
