"""Questions about single nodes of a syntax tree."""

import ast
from collections.abc import Iterator

AsyncDef = ast.AsyncFunctionDef
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Assignment = ast.Assign | ast.AnnAssign
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def last_name(node: ast.AST | None) -> str:
    """`c` for `a.b.c`; empty for nodes that are not names."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def constant_value(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def keyword_argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def argument_nodes(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def arguments_text(call: ast.Call) -> str:
    return ", ".join(ast.unparse(part) for part in [*call.args, *call.keywords])


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node`, without the bodies of nested functions, lambdas and classes."""
    nodes = list(ast.iter_child_nodes(node))
    while nodes:
        child = nodes.pop()
        yield child
        if not isinstance(child, FunctionNode | ast.Lambda | ast.ClassDef):
            nodes.extend(ast.iter_child_nodes(child))


def is_generator(node: FunctionNode) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node))


def is_stub(node: FunctionNode) -> bool:
    """Whether the body consists of docstrings, `...`, `pass` and `raise` only."""
    return all(
        isinstance(statement, ast.Pass | ast.Raise)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in node.body
    )


def stored_names(node: ast.AST) -> set[str]:
    """The names that are assigned anywhere below `node`."""
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
