"""A Python file with its syntax tree and the definitions of its names."""

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SQLALCHEMY = ("sqlalchemy", "sqlmodel")


@dataclass(eq=False)
class Module:
    path: Path
    tree: ast.Module
    lines: list[str]
    # What defines each name: nodes, or dotted names of imports.
    names: dict[str, list[ast.AST | str]] = field(default_factory=lambda: defaultdict(list))
    star_imports: list[str] = field(default_factory=list)
    classes: list[ast.ClassDef] = field(default_factory=list)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        parts = self.path.resolve().with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def uses_sqlalchemy(self) -> bool:
        origins = (origin for found in self.names.values() for origin in found)
        return any(isinstance(origin, str) and origin.startswith(SQLALCHEMY) for origin in origins)

    def absolute_name(self, name: str | None, level: int) -> str:
        """The dotted name that `from ..name import` refers to; starts with a dot if relative."""
        if not level:
            return name or ""
        drop = level - (self.path.name == "__init__.py")
        parts = self.parts[: len(self.parts) - drop] if drop else self.parts
        return ".".join(("", *parts[1:], *([name] if name else [])))

    def imports(self, node: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
        """Each name that the statement binds, with the dotted name that it refers to."""
        if isinstance(node, ast.ImportFrom):
            origin = self.absolute_name(node.module, node.level)
            return [(alias.asname or alias.name, f"{origin}.{alias.name}") for alias in node.names]
        roots = [alias.name.split(".")[0] for alias in node.names]
        return [
            (alias.asname, alias.name) if alias.asname else (root, root)
            for alias, root in zip(node.names, roots, strict=True)
        ]
