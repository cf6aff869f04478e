"""Merge Python files three ways: statement by statement where a file was split, imports by name."""

import ast
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from imports import Import, imports_in, split_at_imports, write_imports
from rename import merge
from rewriting import annotation_strings

PLACEHOLDER = "import __the_imports_of_this_file__\n"
DEFINITION = re.compile(r"(?:@|class |def |async def )")


@dataclass(frozen=True)
class Block:
    """A top-level statement, with the comments before it, and the name that it defines."""

    name: str
    text: str


@dataclass(frozen=True)
class Parts:
    """A file: what stands before its first imports, these, and all other statements."""

    head: str
    imports: str
    blocks: tuple[Block, ...]

    @property
    def body(self) -> str:
        return "".join(block.text for block in self.blocks)

    @property
    def names(self) -> set[str]:
        return {block.name for block in self.blocks}

    def only(self, wanted: Callable[[Block], bool]) -> "Parts":
        return replace(self, blocks=tuple(block for block in self.blocks if wanted(block)))

    def __str__(self) -> str:
        return self.head + self.imports + self.body

    def with_placeholder(self) -> str:
        head = f"{self.head.strip()}\n\n" if self.head.strip() else ""
        return f"{head}{PLACEHOLDER}\n{self.body.strip()}\n"


@dataclass(frozen=True)
class Style:
    """How imports are written: what is the service's own, and how long a line may be."""

    first_party: Collection[str]
    width: int


def read(text: str) -> Parts:
    """Raises `SyntaxError`."""
    head, imports, rest = split_at_imports(text)
    if not imports:
        head, rest = split_after_docstring(text)
    lines = rest.splitlines(keepends=True)
    blocks: list[Block] = []
    start = 0
    for node in ast.parse(rest).body:
        end = node.end_lineno or 0
        if end > start:  # else on the same line as the statement before
            blocks.append(Block(defined(node), "".join(lines[start:end])))
            start = end
    if tail := "".join(lines[start:]):
        blocks.append(Block("", tail))
    return Parts(head, imports, tuple(blocks))


def split_after_docstring(text: str) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    tree = ast.parse(text)
    count = tree.body[0].end_lineno or 0 if ast.get_docstring(tree) is not None else 0
    return "".join(lines[:count]), "".join(lines[count:])


def defined(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)]
    return names[0] if names else ""


def used_names(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:  # with conflict markers: rather too many
        return set(re.findall(r"\w+", code))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for string in annotation_strings(tree):
        names.update(re.findall(r"\w+", str(string.value)))
    return names


def merge_text(ours: str, base: str, theirs: str) -> tuple[str, bool]:
    merged, conflict = merge(ours.encode(), base.encode(), theirs.encode())
    return merged.decode(), conflict


def merge_parts(
    ours: Parts, base: Parts, theirs: Parts, moved: Iterable[Import], style: Style
) -> tuple[str, bool]:
    """Return all changes in one file, and whether they are in conflict.

    What is not imports is merged by lines, and imports by name, since their order differs. `moved`
    imports what the file defined before.
    """
    deleted = deleted_names(ours, base)
    base = base.only(lambda block: block.name not in deleted)
    theirs = theirs.only(lambda block: block.name not in deleted)
    merged, conflict = merge_text(*(side.with_placeholder() for side in (ours, base, theirs)))
    if merged.count(PLACEHOLDER) != 1 or comments(ours) != comments(base):
        return merge_text(str(ours), str(base), str(theirs))
    head, _, body = merged.partition(PLACEHOLDER)
    imports = merge_imports(ours, base, theirs, moved, body, style)
    body = body.strip("\n")
    gap = "\n\n" if DEFINITION.match(body) else "\n"
    if not imports:
        return (head.rstrip("\n") + "\n" + gap + body + "\n").lstrip("\n"), conflict
    return head + imports + (gap + body + "\n" if body else ""), conflict


def deleted_names(ours: Parts, base: Parts) -> set[str]:
    """Return the names that the owner deleted: they stay deleted, if the template changed them too.

    What the owner renamed is not deleted: the template's changes are a conflict there.
    """
    added = [block for block in ours.blocks if block.name not in base.names]
    return {
        block.name
        for block in base.blocks
        if block.name
        and block.name not in ours.names
        and not any(SequenceMatcher(None, block.text, new.text).ratio() > 0.5 for new in added)
    }


def comments(side: Parts) -> set[str]:
    return set(re.findall(r"#.*", side.imports))


def merge_imports(
    ours: Parts,
    base: Parts,
    theirs: Parts,
    moved: Iterable[Import],
    body: str,
    style: Style,
) -> str:
    mine, old, new = (dict.fromkeys(imports_in(side.imports)) for side in (ours, base, theirs))
    used = used_names(body)

    def is_needed(item: Import) -> bool:
        return item.bound in used or item.alias == item.name != "" or item.name == "*"

    kept = [item for item in new if item in mine or item not in old or is_needed(item)]
    bound = {item.bound for item in kept} | theirs.names
    added: dict[Import, None] = {}
    # What the owner imports, and what only code of the owner still needs of the template's.
    for item in (*(i for i in mine if i not in old), *(i for i in mine if i in old), *moved):
        if item not in new and is_needed(item) and (item.bound not in bound or not item.name):
            added[item] = None
            bound.add(item.bound)
    if not added and len(kept) == len(new):
        return theirs.imports
    if comments(theirs):
        lines = [write_imports([item], style.first_party, style.width) for item in added]
        return theirs.imports + "".join(lines)
    return write_imports([*kept, *added], style.first_party, style.width)
