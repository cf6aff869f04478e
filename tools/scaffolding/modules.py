"""The statements and imports of a module, and the line below which the owner's own code goes."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARKER = re.compile(r"\s*# Your own .*below this line")
SPLIT = "# isort: split"
Import = tuple[str, str, str]


@dataclass
class Item:
    """A statement with the comments above it, or the line below which the owner's own code goes."""

    key: str
    text: str
    blank_lines: int = 2


@dataclass
class Module:
    """A module: its statements without imports, and the names that it imports."""

    items: list[Item]
    imports: dict[Import, str]  # the statement of each

    @property
    def marker(self) -> int | None:
        return next((n for n, item in enumerate(self.items) if item.key == "marker"), None)

    @property
    def is_facade(self) -> bool:
        """Whether its own section is one of imports."""
        return self.marker is not None and SPLIT in self.items[self.marker].text

    def get(self, key: str) -> Item | None:
        return next((item for item in self.items if item.key == key), None)

    @property
    def after_imports(self) -> int:
        """Return where imports end; after the docstring if there are none."""
        head = self.items if self.marker is None else self.items[: self.marker]
        docstring = bool(head) and head[0].key.startswith("statement")
        return max(
            (n + 1 for n, item in enumerate(head) if is_import(item)), default=int(docstring)
        )

    def after(self, keys: Sequence[str], template: "Module") -> int:
        """Return where a statement goes that follows others, or where the owner's own end."""
        places = {item.key: number + 1 for number, item in enumerate(self.items)}
        found = (places[key] for key in reversed(keys) if key in places)
        return next(found, self.end_of_own_section(template))

    def end_of_own_section(self, template: "Module") -> int:
        """Return where new statements go: before what the template has after the line."""
        if self.marker is None:
            return len(self.items)
        after = template.items[(template.marker or 0) + 1 :] if template.marker is not None else []
        keys = {item.key for item in after}
        for number in range(self.marker + 1, len(self.items)):
            if self.items[number].key in keys:
                return number
        return len(self.items)

    def __str__(self) -> str:
        parts: list[str] = []
        for item in self.items:
            if parts:
                parts.append("\n" * item.blank_lines)
            parts.append(f"{item.text}\n")
        return "".join(parts)


def has_marker(text: str) -> bool:
    """Return whether a module has a section for the owner's own code."""
    return any(MARKER.match(line) for line in text.splitlines())


def parse(text: str) -> Module:
    return divided(text.splitlines(), 0, ast.parse(text).body)


def members(text: str) -> tuple[str, Module] | None:
    """Divide a class into its head and the statements below it; None for anything else."""
    [node] = ast.parse(text).body
    if not isinstance(node, ast.ClassDef) or node.body[0].lineno == node.lineno:
        return None
    lines = text.splitlines()
    first = start_of(node.body[0])
    while not lines[first - 1].strip() or lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return "\n".join(lines[:first]), divided(lines, first, node.body)


def start_of(statement: ast.stmt) -> int:
    """Return the index of the first line of a statement."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def divided(lines: Sequence[str], end: int, statements: Sequence[ast.stmt]) -> Module:
    """Divide lines, from one on, into statements with the comments above them."""
    spans: list[tuple[int, int, ast.stmt | None]] = [
        (start_of(each), each.end_lineno or each.lineno, each) for each in statements
    ]
    spans.append((len(lines), len(lines), None))
    module = Module([], {})
    counts: dict[str, int] = {}

    def add(key: str, first: int, last: int, blanks: int) -> None:
        counts[key] = counts.get(key, 0) + 1
        numbered = key if counts[key] == 1 else f"{key} {counts[key]}"
        module.items.append(Item(numbered, "\n".join(lines[first:last]), blanks))

    for start, stop, node in spans:
        first, blanks = end, 0
        while first < start and not lines[first].strip():
            first, blanks = first + 1, blanks + 1
        marker = next((n for n in range(first, start) if MARKER.match(lines[n])), None)
        if marker is not None:
            add("marker", first, marker + 1, blanks)
            first, blanks = marker + 1, 0
            while first < start and not lines[first].strip():
                first, blanks = first + 1, blanks + 1
        if node is not None or first < start:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for imported in names_of(node):
                    module.imports[imported] = "\n".join(lines[first:stop])
            add(key_of(node, lines[first:stop]), first, stop, blanks)
        end = stop
    return module


def key_of(node: ast.stmt | None, lines: Sequence[str]) -> str:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return node.name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Import() | ast.ImportFrom():
            return f"import {' '.join(lines)}"
        case None:
            return "comment"
    return f"statement {ast.unparse(node)}"


def names_of(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        yield module, alias.name, alias.asname or ""


def bound_by(imported: Import) -> str:
    """Return the name that an import adds to the module."""
    return imported[2] or imported[1].partition(".")[0]


def statement_of(imported: Import) -> str:
    module, name, alias = imported
    start = f"from {module} import {name}" if module else f"import {name}"
    return f"{start} as {alias}" if alias else start


def is_import(item: Item) -> bool:
    return item.key.startswith("import ")


def is_code(item: Item) -> bool:
    return not is_import(item) and item.key not in {"marker", "comment"}
