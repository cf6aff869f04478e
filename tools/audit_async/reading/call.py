"""A call whose function and arguments are evaluated."""

import ast
from dataclasses import dataclass

from audit_async.inference.values import Value


@dataclass(frozen=True)
class Call:
    node: ast.Call
    callee: Value | None
    arguments: list[Value | None]
    keywords: dict[str | None, Value | None]
    awaited: bool

    @property
    def first_argument(self) -> Value | None:
        return self.arguments[0] if self.arguments else None


@dataclass(frozen=True)
class MethodCall(Call):
    receiver_node: ast.expr
    receiver: Value
    name: str

    @property
    def receiver_text(self) -> str:
        return ast.unparse(self.receiver_node)

    def coroutine(self, of: Value | None = None) -> Value:
        """The awaitable that an async method returns."""
        return Value("awaitable", of=of, name=f"{self.receiver_text}.{self.name}", node=self.node)
