"""Reads statements in the order in which they run."""

import ast
from collections.abc import Sequence

from audit_async.inference.names import imported
from audit_async.inference.reader import Reader
from audit_async.inference.scope import Scope, join_scopes
from audit_async.inference.sqlalchemy_api import SYNC_KINDS
from audit_async.inference.values import Class, Function, Value
from audit_async.reading.assignments import bind
from audit_async.reading.context_managers import entered_value
from audit_async.reading.expressions import element
from audit_async.reading.session_effects import commit
from audit_async.rules.awaits import consume, is_database_coroutine, report_missing_await
from audit_async.rules.sync_sessions import report_sync_session
from audit_async.source.syntax import FunctionNode, stored_names

Block = Sequence[ast.stmt]


def read_block(reader: Reader, statements: Block) -> bool:
    """Read the statements; returns whether the one after the block is reached."""
    return all(read_statement(reader, statement) for statement in statements)


def read_statement(reader: Reader, node: ast.stmt) -> bool:
    """Read the statement; returns whether the next one is reached."""
    match node:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            read_exit(reader, node)
            return False
        case ast.If():
            consume(reader, node.test, tested=True)
            return read_branches(reader, [node.body, node.orelse])
        case ast.Match():
            consume(reader, node.subject)
            return read_branches(reader, [*(case.body for case in node.cases), []])
        case ast.With() | ast.AsyncWith():
            return read_with(reader, node)
        case ast.Try() | ast.TryStar():
            return read_try(reader, node)
        case ast.For() | ast.AsyncFor() | ast.While():
            read_loop(reader, node)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            read_definition(reader, node)
        case _:
            read_simple_statement(reader, node)
    return True


def read_exit(reader: Reader, node: ast.Return | ast.Raise | ast.Continue | ast.Break) -> None:
    match node:
        case ast.Return():
            value = reader.evaluate(node.value)
            is_call = isinstance(node.value, ast.Call)
            if reader.is_async and is_call and is_database_coroutine(value):
                value = None if report_missing_await(reader, value) else value
            reader.outcome.returned.append(value)
        case ast.Raise():
            reader.evaluate(node.exc)
            reader.evaluate(node.cause)


def read_simple_statement(reader: Reader, node: ast.stmt) -> None:
    match node:
        case ast.Expr():
            value = reader.evaluate(node.value)
            if isinstance(node.value, ast.Call):
                report_missing_await(reader, value)
        case ast.Assign():
            value = reader.evaluate(node.value)
            for target in node.targets:
                bind(reader, target, value, node.value)
        case ast.AnnAssign():
            read_annotated_assignment(reader, node)
        case ast.AugAssign():
            consume(reader, node.value)
        case ast.Assert():
            consume(reader, node.test, tested=True)
        case ast.Import() | ast.ImportFrom():
            for name, dotted in reader.module.imports(node):
                reader.scope.names[name] = imported(reader.base, dotted, reader.module)
        case _:
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.expr):
                    reader.evaluate(part)


def read_annotated_assignment(reader: Reader, node: ast.AnnAssign) -> None:
    value = reader.evaluate(node.value)
    annotated = reader.annotated(node.annotation)
    if value and (value.kind == "awaitable" or annotated is None or annotated.kind == value.kind):
        bind(reader, node.target, value, node.value)
    else:
        bind(reader, node.target, annotated, node.value)


def read_branches(reader: Reader, branches: Sequence[Block]) -> bool:
    before = reader.scope
    ends: list[Scope] = []
    for branch in branches:
        reader.scope = before.copy()
        if read_block(reader, branch):
            ends.append(reader.scope)
    reader.scope = join_scopes(ends) if ends else before
    return bool(ends)


def read_loop(reader: Reader, node: ast.For | ast.AsyncFor | ast.While) -> None:
    if isinstance(node, ast.While):
        consume(reader, node.test, tested=True)
        item = None
    else:
        item = element(consume(reader, node.iter))
    before = reader.scope.copy()
    reader.loops.append(stored_names(node))
    if not isinstance(node, ast.While):
        bind(reader, node.target, item)
    reached = read_block(reader, node.body)
    reader.loops.pop()
    reader.scope = join_scopes([before, reader.scope]) if reached else before
    read_block(reader, node.orelse)


def read_with(reader: Reader, node: ast.With | ast.AsyncWith) -> bool:
    committing: list[Value] = []
    for item in node.items:
        manager = reader.evaluate(item.context_expr)
        if manager and manager.commits and manager.of:
            committing.append(manager.of)
        entered = entered_value(reader, item, manager, is_async=isinstance(node, ast.AsyncWith))
        if item.optional_vars:
            bind(reader, item.optional_vars, entered, item.context_expr)
        # `with session:` on an existing session is reported where that session is created.
        is_created_here = entered is not manager or isinstance(item.context_expr, ast.Call)
        if (
            isinstance(node, ast.With)
            and entered
            and entered.kind in SYNC_KINDS
            and is_created_here
        ):
            name = ast.unparse(item.optional_vars) if item.optional_vars else ""
            report_sync_session(reader, item.context_expr, entered, name=name)
    reached = read_block(reader, node.body)
    for session in committing:
        commit(reader, session)
    return reached


def read_try(reader: Reader, node: ast.Try | ast.TryStar) -> bool:
    before = reader.scope.copy()
    reached = read_block(reader, [*node.body, *node.orelse])
    ends = [reader.scope] if reached else []
    # A handler sees the names that the body bound, but the commit may have failed.
    before = Scope(join_scopes([before, reader.scope]).names, before.expired)
    for handler in node.handlers:
        reader.scope = before.copy()
        if handler.name:
            reader.scope.names[handler.name] = None
        if read_block(reader, handler.body):
            ends.append(reader.scope)
    reader.scope = join_scopes(ends) if ends else before
    return read_block(reader, node.finalbody) and bool(ends)


def read_definition(reader: Reader, node: FunctionNode | ast.ClassDef) -> None:
    if isinstance(node, ast.ClassDef):
        read_class(reader, node)
        return
    function = read_function(reader, node)
    if reader.function:
        reader.scope.names[node.name] = Value("function", definition=function, name=node.name)


def read_class(reader: Reader, node: ast.ClassDef) -> None:
    cls = Class(node, reader.module)
    for part in node.body:
        if isinstance(part, FunctionNode):
            read_function(reader, part, cls)
        elif isinstance(part, ast.ClassDef):
            read_class(reader, part)
    reader.scope.names[node.name] = Value("class", definition=cls)


def read_function(reader: Reader, node: FunctionNode, owner: Class | None = None) -> Function:
    for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
        reader.evaluate(part)
    enclosing = {**reader.enclosing, **reader.scope.names} if reader.function else {}
    function = Function(node, reader.module, owner, enclosing)
    if reader.findings is not None:
        reader.base.reader(reader.module, function, reader.findings).run()
    return function
