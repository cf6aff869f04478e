"""Resolves names across the modules of a code base."""

import ast
import sys
from itertools import takewhile

from audit_async.inference.codebase import CodeBase, memoized
from audit_async.inference.sqlalchemy_api import CLASSES, external
from audit_async.inference.values import Class, Function, Value, first
from audit_async.source.modules import SQLALCHEMY, Module
from audit_async.source.syntax import FunctionNode

# A module of the code base with such a name does not shadow the library.
LIBRARIES = sys.stdlib_module_names | {"fastapi", "httpx", "httpx2", "requests", *SQLALCHEMY}


@memoized
def module_named(base: CodeBase, dotted: str, importer: Module) -> Module | None:
    """The module that the name refers to; of several, the one nearest to `importer`."""
    wanted = tuple(part for part in dotted.split(".") if part)
    relative = dotted.startswith(".")
    if not wanted or (not relative and wanted[0] in LIBRARIES):
        return None
    candidates = [
        module
        for module in base.modules_by_name.get(wanted[-1], ())
        if module.parts[-len(wanted) :] == wanted
        and (relative or module.parts[: -len(wanted)] not in base.packages)
    ]

    def shared_parents(module: Module) -> int:
        pairs = zip(module.parts, importer.parts, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(candidates, key=shared_parents, default=None)


def imported(base: CodeBase, dotted: str, importer: Module) -> Value | None:
    module = module_named(base, dotted, importer)
    if module:
        return Value("module", definition=module, name=dotted)
    origin, _, name = dotted.rpartition(".")
    module = module_named(base, origin, importer) if origin else None
    if module:
        return lookup(base, module, name)
    return None if dotted.startswith(".") else external(dotted)


@memoized
def lookup(base: CodeBase, module: Module, name: str) -> Value | None:
    """The value of a global name of the module."""
    nodes = module.names.get(name, [])
    functions = [node for node in nodes if isinstance(node, FunctionNode)]
    if functions:
        # A name with a sync and an async definition, or other values, may be either.
        if len({type(node) for node in functions}) > 1 or len(functions) < len(nodes):
            return None
        return Value("function", definition=Function(functions[-1], module), name=name)
    if nodes:
        return first(defined_by(base, module, node) for node in reversed(nodes))
    return lookup_star_imports(base, module, name)


def lookup_star_imports(base: CodeBase, module: Module, name: str) -> Value | None:
    origins = (module_named(base, dotted, module) for dotted in module.star_imports)
    found = first(lookup(base, origin, name) for origin in origins if origin)
    if found or name not in CLASSES:
        return found
    from_sqlalchemy = (d for d in module.star_imports if d.split(".")[0] in SQLALCHEMY)
    return first(external(f"{dotted}.{name}") for dotted in from_sqlalchemy)


def defined_by(base: CodeBase, module: Module, node: ast.AST | str) -> Value | None:
    match node:
        case str():
            return imported(base, node, module)
        case ast.ClassDef():
            return Value("class", definition=Class(node, module))
        case ast.AnnAssign():
            reader = base.reader(module)
            return reader.annotated(node.annotation) or reader.evaluate(node.value)
        case ast.expr():
            return base.reader(module).evaluate(node)
        case _:
            return None
