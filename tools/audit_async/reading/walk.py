"""The concrete reader: passes each kind of expression to the function that evaluates it."""

import ast

from audit_async.inference.reader import Reader
from audit_async.inference.values import Value, first, join
from audit_async.reading.annotations import annotated
from audit_async.reading.assignments import bind
from audit_async.reading.attributes import evaluate_attribute
from audit_async.reading.calls import evaluate_call
from audit_async.reading.expressions import (
    evaluate_await,
    evaluate_comprehension,
    evaluate_subscript,
)
from audit_async.reading.parameters import bind_parameters
from audit_async.reading.statements import read_block
from audit_async.rules.awaits import consume


class Walk(Reader):
    def run(self) -> None:
        if self.function is None:
            read_block(self, self.module.tree.body)
        else:
            bind_parameters(self, self.function)
            read_block(self, self.function.node.body)

    def annotated(self, node: ast.expr | None) -> Value | None:
        return annotated(self, node)

    def evaluate(self, node: ast.expr | None) -> Value | None:
        match node:
            case None | ast.Constant() | ast.Lambda():
                return None
            case ast.Name():
                return self.lookup(node.id)
            case ast.Attribute():
                return evaluate_attribute(self, node)
            case ast.Call():
                return evaluate_call(self, node)
            case ast.Await():
                return evaluate_await(self, node)
            case ast.Subscript():
                return evaluate_subscript(self, node)
            case ast.NamedExpr():
                value = self.evaluate(node.value)
                bind(self, node.target, value, node.value)
                return value
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return evaluate_comprehension(self, node)
            case ast.IfExp():
                consume(self, node.test, tested=True)
                return join(self.evaluate(node.body), self.evaluate(node.orelse))
            case ast.BoolOp():
                return first([self.evaluate(value) for value in node.values])
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                values = [self.evaluate(element) for element in elements]
                return Value("list", of=values[0]) if len(values) == 1 else None
            case _:
                self._evaluate_parts(node)
                return None

    def _evaluate_parts(self, node: ast.expr) -> None:
        """Read an expression whose own value is unknown."""
        match node:
            case ast.UnaryOp():
                consume(self, node.operand, tested=isinstance(node.op, ast.Not))
            case ast.Compare():
                for operand in [node.left, *node.comparators]:
                    consume(self, operand, tested=True)
            case ast.FormattedValue():
                consume(self, node.value)
            case ast.Yield():
                self.outcome.yielded.append(self.evaluate(node.value))
            case ast.YieldFrom():
                self.evaluate(node.value)
                self.outcome.yielded.append(None)
            case _:
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.evaluate(part)
