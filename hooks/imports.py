"""Read and write the imports of a file."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple


class Import(NamedTuple):
    """One name of an import statement: `from MODULE import NAME as ALIAS`.

    Without NAME it is `import MODULE as ALIAS`; LEVEL counts the dots of a relative import.
    """

    module: str
    name: str = ""
    alias: str = ""
    level: int = 0

    @property
    def bound(self) -> str:
        return self.alias or self.name or self.module.partition(".")[0]


def sort_key(name: str) -> tuple[int, str, str]:
    """Order names as ruff does: constants, classes, all others."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name


def statements(imports: Iterable[Import], indent: str, width: int) -> Iterator[str]:
    """Write one statement for each module; names with an alias get statements of their own."""
    plain: dict[tuple[int, str], list[str]] = {}
    lines: list[tuple[tuple[object, ...], str]] = []
    for item in dict.fromkeys(imports):
        source = "." * item.level + item.module
        if not item.name:
            alias = f" as {item.alias}" if item.alias else ""
            lines.append(((0, 0, source.lower(), source), f"import {item.module}{alias}"))
        elif item.alias:
            line = f"from {source} import {item.name} as {item.alias}"
            key = (1, -item.level, item.module.lower(), item.module, sort_key(item.name), 1)
            lines.append((key, line))
        else:
            plain.setdefault((item.level, item.module), []).append(item.name)
    for (level, module), names in plain.items():
        names.sort(key=sort_key)
        line = f"from {'.' * level}{module} import {', '.join(names)}"
        if len(indent + line) > width:
            listed = "".join(f"{indent}    {name},\n" for name in names)
            line = f"from {'.' * level}{module} import (\n{listed}{indent})"
        key = (1, -level, module.lower(), module, sort_key(names[0]), 0)
        lines.append((key, line))
    yield from (line for _, line in sorted(lines))


def section(item: Import, first_party: Collection[str]) -> int:
    top = item.module.partition(".")[0]
    if item.level:
        return 4
    if top == "__future__":
        return 0
    return 1 if top in sys.stdlib_module_names else 3 if top in first_party else 2


def write_imports(imports: Iterable[Import], first_party: Collection[str], width: int) -> str:
    """Write imports as ruff sorts them, in sections."""
    sections: dict[int, list[Import]] = {}
    for item in imports:
        sections.setdefault(section(item, first_party), []).append(item)
    blocks = ("\n".join(statements(sections[key], "", width)) for key in sorted(sections))
    return "\n\n".join(blocks) + "\n"


def read_imports(node: ast.stmt) -> list[Import]:
    if isinstance(node, ast.Import):
        return [Import(alias.name, "", alias.asname or "") for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module, level = node.module or "", node.level
        return [Import(module, alias.name, alias.asname or "", level) for alias in node.names]
    return []


def first_imports(tree: ast.Module) -> list[ast.stmt]:
    """Return the imports that the file begins with."""
    found: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif found or not isinstance(node, ast.Expr):
            break
    return found


def split_at_imports(text: str) -> tuple[str, str, str]:
    """Return what stands before the first imports, these, and what stands after them.

    They end at a comment on a line of its own.
    """
    lines = text.splitlines(keepends=True)
    nodes = first_imports(ast.parse(text))
    if not nodes:
        return "", "", text
    start, end = nodes[0].lineno - 1, nodes[0].lineno - 1
    for node in nodes:
        between = lines[end : node.lineno - 1]
        if node.col_offset or any(line.strip() for line in between):
            break
        assert node.end_lineno is not None
        end = node.end_lineno
    return "".join(lines[:start]), "".join(lines[start:end]), "".join(lines[end:])


def imports_in(text: str) -> list[Import]:
    return [item for node in ast.parse(text).body for item in read_imports(node)]
