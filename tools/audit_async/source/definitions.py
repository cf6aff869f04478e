"""Collects what defines each name of a module."""

import ast
import sys
from collections.abc import Iterable

from audit_async.source.modules import Module
from audit_async.source.syntax import FunctionNode, last_name, own_nodes

BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.ExceptHandler)


def collect_definitions(module: Module, body: Iterable[ast.AST]) -> None:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                collect_imports(module, node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                module.names[node.name].append(node)
                collect_globals(module, node)
            case ast.ClassDef():
                module.names[node.name].append(node)
                module.classes.append(node)
            case ast.Assign():
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        module.names[target.id].append(node.value)
            case ast.AnnAssign(target=ast.Name(id=name)):
                module.names[name].append(node)
            case _ if isinstance(node, BLOCKS):
                collect_definitions(module, ast.iter_child_nodes(node))
            case _ if sys.version_info >= (3, 12) and isinstance(node, ast.TypeAlias):
                module.names[node.name.id].append(node.value)


def collect_imports(module: Module, node: ast.Import | ast.ImportFrom) -> None:
    for name, dotted in module.imports(node):
        if name == "*":
            module.star_imports.append(dotted.removesuffix(".*"))
        else:
            module.names[name].append(dotted)


def collect_globals(module: Module, function: FunctionNode) -> None:
    """Assignments that `global` statements of the function make to names of the module."""
    nodes = list(own_nodes(function))
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    for node in nodes if shared else ():
        if isinstance(node, ast.Assign) and last_name(node.targets[0]) in shared:
            module.names[last_name(node.targets[0])].append(node.value)
