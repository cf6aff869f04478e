"""Findings, the rules they belong to, and the comments that silence them."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from audit_async.source.modules import Module

RULES = {
    "sync-query": "`session.query()` in async code",
    "sync-session": "a sync Session or Connection used in `async def`",
    "missing-await": "a database coroutine that is never awaited",
    "needless-await": "`await` on a call that returns no coroutine",
    "sync-driver": "a database URL with a sync driver",
    "lazy-load": "a relationship that its query does not load",
    "expired-attribute": "an attribute read after a commit expired it",
    "blocking-call": "a call that blocks the event loop",
    "lost-session": "a session shared by concurrent tasks",
}
IGNORE_COMMENT = re.compile(r"#\s*audit:\s*ignore(?:\[([^\]]*)\])?")
PASSWORD_IN_URL = re.compile(r"(://[^:/@\s'\"]*):[^/\s'\"]*@")


@dataclass(frozen=True)
class Finding:
    file: str
    line: int
    column: int
    rule: str
    severity: str
    why: str
    instead: str

    def __str__(self) -> str:
        suggestion = self.instead.replace("\n", "\n    ")
        return f"{self.file}:{self.line}:{self.column}: {self.rule}: {self.why}\n    {suggestion}"


class ModuleFindings:
    """The findings in one module: at most one for each position and rule."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._findings: dict[tuple[int, int, str], Finding] = {}

    def add(
        self, rule: str, node: ast.expr | ast.arg, why: str, instead: str, severity: str = "error"
    ) -> None:
        line, column = node.lineno, node.col_offset + 1
        if is_ignored(self.module, {line, node.end_lineno or line}, rule):
            return
        why, instead = hide_passwords(why), hide_passwords(instead)
        finding = Finding(str(self.module.path), line, column, rule, severity, why, instead)
        self._findings.setdefault((line, column, rule), finding)

    def all(self) -> list[Finding]:
        return list(self._findings.values())


def is_ignored(module: Module, lines: Iterable[int], rule: str) -> bool:
    for line in lines:
        match = IGNORE_COMMENT.search(module.lines[line - 1]) if line <= len(module.lines) else None
        if match and (match[1] is None or rule in re.split(r"[,\s]+", match[1])):
            return True
    return False


def hide_passwords(text: str) -> str:
    return PASSWORD_IN_URL.sub(r"\1:***@", text)
