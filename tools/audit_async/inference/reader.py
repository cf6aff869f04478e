"""The state of reading one function, and the operations that recur in every part of it."""

import ast
from abc import ABC, abstractmethod
from collections import Counter

from audit_async.findings import ModuleFindings
from audit_async.inference.codebase import CodeBase
from audit_async.inference.names import lookup
from audit_async.inference.outcome import Outcome
from audit_async.inference.scope import Scope
from audit_async.inference.values import Function, Value
from audit_async.source.modules import Module


class Reader(ABC):
    """Reads one function, or the body of a module, in the order in which it runs."""

    def __init__(
        self,
        base: CodeBase,
        module: Module,
        function: Function | None = None,
        findings: ModuleFindings | None = None,
    ) -> None:
        self.base = base
        self.module = module
        self.function = function
        self.findings = findings
        self.is_async = bool(function and function.is_async)
        self.scope = Scope()
        self.enclosing = function.enclosing if function else {}
        # The names that each loop around the current statement binds.
        self.loops: list[set[str]] = []

        self.outcome = Outcome()

        # State of the rules
        self.plain_calls: set[ast.expr] = set()
        self.session_origins: dict[str, ast.expr | ast.arg] = {}
        self.reported_sessions: set[str] = set()
        self.tasks_started: Counter[str] = Counter()

    @abstractmethod
    def run(self) -> None:
        """Read all statements."""

    @abstractmethod
    def evaluate(self, node: ast.expr | None) -> Value | None:
        """The value of the expression; reports findings in it."""

    @abstractmethod
    def annotated(self, node: ast.expr | None) -> Value | None:
        """The value of a name with this annotation."""

    def lookup(self, name: str) -> Value | None:
        for names in (self.scope.names, self.enclosing):
            if name in names:
                return names[name]
        return lookup(self.base, self.module, name)

    def report(
        self,
        rule: str,
        node: ast.expr | ast.arg,
        why: str,
        instead: str,
        severity: str = "error",
    ) -> None:
        if self.findings is not None:
            self.findings.add(rule, node, why, instead, severity)
