"""`lost-session`: one async session in several concurrent tasks."""

import ast
from collections import Counter
from collections.abc import Iterator

from audit_async.inference.classes import member
from audit_async.inference.reader import Reader
from audit_async.inference.sqlalchemy_api import ASYNC_KINDS
from audit_async.inference.values import Class, Function, Value
from audit_async.source.syntax import Comprehension, own_nodes

# In a loop or a comprehension, one call starts several tasks.
SEVERAL = 2


def report_shared_session(reader: Reader, node: ast.Call, session: str) -> None:
    reader.report(
        "lost-session",
        node,
        f"concurrent tasks share `{session}`, which is not safe for concurrent use",
        f"in each task: async with async_session() as {session.split('.')[-1]}:",
    )


def check_gather(reader: Reader, node: ast.Call) -> None:
    """`asyncio.gather` and the like, which run their arguments concurrently."""
    tasks: Counter[str] = Counter()
    for argument in node.args:
        tasks.update(tasks_by_session(reader, awaitables(reader, argument)))
    for session, count in tasks.items():
        if count > 1:
            report_shared_session(reader, node, session)


def check_task(reader: Reader, node: ast.Call, arguments: list[ast.expr]) -> None:
    """`create_task` and the like, which start one task per call."""
    for session in sessions_used(reader, *arguments):
        bound_in_loop = any(root(session) in names for names in reader.loops)
        shared_in_loop = reader.loops and not bound_in_loop
        reader.tasks_started[session] += SEVERAL if shared_in_loop else 1
        if reader.tasks_started[session] > 1 and not bound_in_loop:
            report_shared_session(reader, node, session)


def awaitables(reader: Reader, argument: ast.expr) -> ast.expr:
    """The argument itself, or the list that `tasks` or `*tasks` refers to."""
    if isinstance(argument, ast.Starred):
        argument = argument.value
    if isinstance(argument, ast.Name):
        value = reader.lookup(argument.id)
        if value and value.kind == "list" and value.node:
            return value.node
    return argument


def tasks_by_session(reader: Reader, node: ast.expr) -> Counter[str]:
    match node:
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            bound = bound_names(node)
            sessions = sessions_used(reader, node.elt)
            return Counter({name: SEVERAL for name in sessions if root(name) not in bound})
        case ast.DictComp():
            return Counter()
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return Counter(name for element in elements for name in sessions_used(reader, element))
        case _:
            return Counter(sessions_used(reader, node))


def bound_names(node: Comprehension) -> set[str]:
    return {
        part.id
        for generator in node.generators
        for part in ast.walk(generator.target)
        if isinstance(part, ast.Name)
    }


def root(name: str) -> str:
    return name.split(".")[0]


def sessions_used(reader: Reader, *nodes: ast.expr) -> list[str]:
    """The async sessions that running the expressions uses, as source text."""
    found = (
        session
        for node in nodes
        for part in own_nodes(ast.Expr(node))
        for session in sessions_at(reader, part)
    )
    return list(dict.fromkeys(found))


def sessions_at(reader: Reader, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name():
            value = reader.lookup(node.id)
        case ast.Attribute(value=ast.Name(id=owner)):
            value = attribute_value(reader, reader.lookup(owner), node.attr)
        case _:
            return
    match value:
        case Value(kind=kind) if kind in ASYNC_KINDS:
            yield ast.unparse(node)
        case Value(kind="function", definition=Function() as function):
            yield from enclosing_sessions(function)


def attribute_value(reader: Reader, owner: Value | None, name: str) -> Value | None:
    match owner:
        case Value(kind="instance", definition=Class() as cls):
            return member(reader.base, cls, name)
        case _:
            return None


def enclosing_sessions(function: Function) -> Iterator[str]:
    """The sessions that a nested function takes from the functions around it."""
    nodes = list(own_nodes(function.node))
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for name in names:
        value = function.enclosing.get(name)
        if name not in own and value and value.kind in ASYNC_KINDS:
            yield name
