"""Changes of a module by statements: into a file that its owner has edited, or out of it."""

import ast
import difflib
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scaffolding.errors import Refused

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

    def after(self, key: str, template: "Module") -> int:
        """Return where a statement goes that follows another, or where the owner's own end."""
        found = (n + 1 for n, item in enumerate(self.items) if item.key == key)
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


def parse(text: str) -> Module:
    lines = text.splitlines()
    spans: list[tuple[int, int, ast.stmt | None]] = []  # the lines of each statement
    for statement in ast.parse(text).body:
        decorators = getattr(statement, "decorator_list", [])
        start = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        spans.append((start - 1, statement.end_lineno or statement.lineno, statement))
    spans.append((len(lines), len(lines), None))
    module = Module([], {})
    counts: dict[str, int] = {}
    end = 0

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


def statement_of(imported: Import) -> str:
    module, name, alias = imported
    start = f"from {module} import {name}" if module else f"import {name}"
    return f"{start} as {alias}" if alias else start


# ---------------------------------------------------------------- Adding


def added(owners: str, base: str, new: str, name: str) -> str:
    """Add to a file what only `new` has, below the line "Your own …" where there is one.

    `base` and `new` are rendered without and with the resource.
    """
    module, template, wanted = parse(owners), parse(base), parse(new)
    if template.marker is not None and module.marker is None:
        line = template.items[template.marker].text.splitlines()[-1]
        raise Refused(
            f"{name} has no line `{line}`: put it back above your own code, and run this again."
        )
    for item in wanted.items:
        before = template.get(item.key)
        if is_import(item) or item.key in {"marker", "comment"}:
            continue
        if before is None:
            if module.get(item.key):
                raise Refused(f"{name} already has {item.key}: use another name for the resource.")
            module.items.insert(
                module.end_of_own_section(template), Item(item.key, item.text, item.blank_lines)
            )
        elif before.text != item.text:
            own = module.get(item.key)
            if own is None:
                lines = "\n".join(inserted_lines(before.text, item.text))
                raise Refused(
                    f"{name} has no {item.key}, to which these lines belong: put it back.\n{lines}"
                )
            own.text = with_lines(own.text, before.text, item.text, name)
    add_imports(module, template, set(wanted.imports) - set(template.imports))
    return str(module)


def is_import(item: Item) -> bool:
    return item.key.startswith("import ")


def add_imports(module: Module, template: Module, imports: set[Import]) -> None:
    """Add imports after the others: ruff sorts them, and joins those of one module."""
    missing = sorted(imports - set(module.imports))
    at = module.end_of_own_section(template) if module.is_facade else module.after_imports
    for number, imported in enumerate(missing):
        is_first = at == 1 and number == 0 and not module.is_facade
        item = Item(f"import {statement_of(imported)}", statement_of(imported), int(is_first))
        module.items.insert(at + number, item)
        module.imports[imported] = item.text


def inserted_lines(before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    lines: list[str] = []
    for tag, *_, start, stop in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        if tag != "insert":
            raise AssertionError(f"A partial changes a line:\n{before}\n{after}")
        lines += new[start:stop]
    return lines


def with_lines(owners: str, before: str, after: str, name: str) -> str:
    """Add the lines that a statement gets, below its line "Your own …"."""
    lines = inserted_lines(before, after)
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    own, template = owners.splitlines(), before.splitlines()
    marked = [n for n, line in enumerate(template) if MARKER.match(line)]
    if marked:
        found = next((n for n, line in enumerate(own) if MARKER.match(line)), None)
        if found is None:
            raise Refused(
                f"{name} has no line `{template[marked[0]].strip()}` in {own[0].strip()}: put it"
                " back above your own lines, and run this again."
            )
        following = [line for line in template[marked[0] + 1 :] if line.strip()]
    else:
        found, following = 0, template[-1:]
    at = len(own)
    if following:
        at = max((n for n in range(found + 1, len(own)) if own[n] == following[0]), default=0)
        if not at:
            raise Refused(
                f"{name}: {own[0].strip()} must end with `{following[0].strip()}`: put it back."
            )
    if len(lines) > 1 and at - 1 > found and own[at - 1].strip():
        lines = ["", *lines]
    return "\n".join([*own[:at], *lines, *own[at:]])


# ---------------------------------------------------------------- Merging


def merged(owners: str, old: str, new: str, name: str) -> str:
    """Merge the change from `old` to `new` into a file, statement by statement."""
    if owners == old:
        return new
    module, before, after = parse(owners), parse(old), parse(new)
    for item in before.items:
        if (
            not is_import(item)
            and after.get(item.key) is None
            and item.key not in {"marker", "comment"}
        ):
            remove(module, item, name)
    previous, follows_imports = "", False
    for item in after.items:
        if is_import(item) or item.key in {"marker", "comment"}:
            follows_imports = is_import(item)
            continue
        known, own = before.get(item.key), module.get(item.key)
        if known is None:
            if own is not None:
                raise Refused(f"{name} already has {item.key}: rename it, or use another field.")
            at = module.after_imports if follows_imports else module.after(previous, before)
            module.items.insert(at, Item(item.key, item.text, item.blank_lines))
        elif known.text != item.text:
            if own is None:
                raise Refused(
                    f"{name} has no {item.key}, which changes: put it back, and run this again."
                )
            own.text = merged_text(own.text, known.text, item.text, name)
        previous, follows_imports = item.key, False
    remove_imports(module, set(before.imports) - set(after.imports))
    add_imports(module, before, set(after.imports) - set(before.imports))
    return str(module)


def remove(module: Module, item: Item, name: str) -> None:
    own = module.get(item.key)
    if own is None:
        return
    if own.text != item.text:
        raise Refused(
            f"{item.key} in {name} was edited: remove the resource by hand, or undo your edits."
        )
    module.items.remove(own)


def remove_imports(module: Module, imports: set[Import]) -> None:
    code = "\n".join(item.text for item in module.items if not is_import(item))
    for imported in imports:
        used = imported[2] or imported[1].partition(".")[0]
        statement = module.imports.pop(imported, None)
        if statement is None or (not module.is_facade and re.search(rf"\b{used}\b", code)):
            continue
        [number] = [n for n, item in enumerate(module.items) if item.text == statement]
        [node] = ast.parse(statement).body
        assert isinstance(node, ast.Import | ast.ImportFrom)
        others = [name for name in names_of(node) if name != imported]
        if not others:
            del module.items[number]
            continue
        members = ", ".join(f"{name} as {alias}" if alias else name for _, name, alias in others)
        text = f"from {imported[0]} import {members}" if imported[0] else f"import {members}"
        module.items[number].text = text
        for other in others:
            module.imports[other] = text


def merged_text(owners: str, old: str, new: str, name: str) -> str:
    """Merge three versions of a statement as git does."""
    if owners == old:
        return new
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, version) for version in ("yours", "before", "after")]
        for path, text in zip(paths, (owners, old, new), strict=True):
            path.write_text(f"{text}\n")
        command = ["git", "merge-file", "--stdout", *map(str, paths)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return result.stdout.removesuffix("\n")
    lines = without_lines(owners, old, new) or with_added_lines(owners, old, new)
    if lines is None:
        patch = "\n".join(
            difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
        )
        first = old.splitlines()[0].strip()
        raise Refused(
            f"Your edits of `{first}` in {name} and this change touch the same lines. Undo these "
            f"edits, commit, run this again, and then make them again. The change:\n{patch}"
        )
    return lines


def without_lines(owners: str, old: str, new: str) -> str | None:
    """Remove whole blocks of lines, which git calls a conflict if the lines beside them changed."""
    before, after, own = old.splitlines(), new.splitlines(), owners.splitlines()
    for tag, start, stop, *_ in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            continue
        block = before[start:stop]
        while block and not block[0].strip():
            del block[0]
        found = [n for n in range(len(own)) if own[n : n + len(block)] == block]
        if tag != "delete" or len(found) != 1:
            return None
        del own[found[0] : found[0] + len(block)]
    return "\n".join(own)


def with_added_lines(owners: str, old: str, new: str) -> str | None:
    """Add lines after the lines that they followed, also if the owner has added lines there."""
    before, after, own = old.splitlines(), new.splitlines(), owners.splitlines()
    kept = difflib.SequenceMatcher(None, before, own, autojunk=False).get_matching_blocks()
    numbers = {block.a + n: block.b + n for block in kept for n in range(block.size)}
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for tag, start, _, first, last in reversed(changes):
        if tag == "equal":
            continue
        if tag != "insert" or start - 1 not in numbers:
            return None
        at = numbers[start - 1] + 1
        own[at:at] = after[first:last]
    return "\n".join(own)
