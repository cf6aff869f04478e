"""Changes of a module by statements: into a file that its owner has edited, or out of it."""

import ast
import difflib
import re
import subprocess
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from scaffolding.errors import Conflicts, Refused, refuse_all
from scaffolding.modules import (
    MARKER,
    Import,
    Item,
    Module,
    bound_by,
    is_code,
    is_import,
    members,
    names_of,
    parse,
    statement_of,
)

# Formats code: with each element on a line of its own, or as the owner does. Empty if it cannot.
Format = Callable[[str, bool], str]


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
                    f"{name} has no {item.key}, where these lines belong: put it back.\n{lines}"
                )
            own.text = with_lines(own.text, before.text, item.text, name)
    add_imports(module, template, set(wanted.imports) - set(template.imports), name)
    return str(module)


def add_imports(module: Module, template: Module, imports: set[Import], name: str) -> None:
    """Add imports after the others: ruff sorts them, and joins those of one module."""
    missing = sorted(imports - set(module.imports))
    check_free(module, missing, name)
    at = module.end_of_own_section(template) if module.is_facade else module.after_imports
    for number, imported in enumerate(missing):
        is_first = at == 1 and number == 0 and not module.is_facade
        item = Item(f"import {statement_of(imported)}", statement_of(imported), int(is_first))
        module.items.insert(at + number, item)
        module.imports[imported] = item.text


def check_free(module: Module, imports: Sequence[Import], name: str) -> None:
    """Refuse imports of a name that is something else in the module.

    The linter removes a second import of a name from another module of the service.
    """
    used = {bound_by(each): each[0] for each in module.imports}
    for each in imports:
        bound = bound_by(each)
        others = used.get(bound, "")
        is_same = all(source.startswith("app.") for source in (others, each[0]))
        if module.get(bound) or (bound in used and not is_same):
            raise Refused(
                f"{name} already has another {bound}, and this imports {each[1]}"
                f"{f' from {each[0]}' if each[0] else ''}: rename one of them."
            )


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


def merged(owners: str, old: str, new: str, name: str, layout: Format) -> str:
    """Merge the change from `old` to `new` into a file, statement by statement."""
    if owners == old:
        return new
    module, before, after = parse(owners), parse(old), parse(new)
    merge(module, before, after, name, layout)
    remove_imports(module, set(before.imports) - set(after.imports))
    add_imports(module, before, set(after.imports) - set(before.imports), name)
    return str(module)


def merge(module: Module, before: Module, after: Module, name: str, layout: Format) -> None:
    """Merge the statements of a module or a class; raises `Refused` with all reasons."""
    reasons: list[Refused] = []
    for item in before.items:
        if is_code(item) and after.get(item.key) is None:
            try:
                remove(module, item, name)
            except Refused as reason:
                reasons.append(reason)
    previous: list[str] = []
    follows_imports = False
    for item in after.items:
        if not is_code(item):
            follows_imports = is_import(item)
            continue
        known, own = before.get(item.key), module.get(item.key)
        try:
            if known is not None and known.text != item.text:
                if own is None:
                    raise Refused(
                        f"{name} has no {item.key}, which has to be changed: put it back, and run"
                        " this again."
                    )
                own.text = merged_statement(own.text, known.text, item.text, name, layout)
            elif known is None and own is not None:
                raise Refused(f"{name} already has {item.key}: rename it, or use another field.")
            elif known is None:
                at = module.after_imports if follows_imports else module.after(previous, before)
                module.items.insert(at, Item(item.key, item.text, item.blank_lines))
        except Refused as reason:
            reasons.append(reason)
        previous.append(item.key)
        follows_imports = False
    refuse_all(reasons)


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
        used = bound_by(imported)
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


def merged_statement(owners: str, old: str, new: str, name: str, layout: Format) -> str:
    """Merge three versions of a statement: as git does, by members, by lines, or by elements."""
    if owners == old:
        return new
    if (text := merged_by_git(owners, old, new)) is not None:
        return text
    is_member = old[:1].isspace()
    if not is_member and all(versions := [members(text) for text in (owners, old, new)]):
        (head, module), (old_head, before), (new_head, after) = filter(None, versions)
        if head == old_head or old_head == new_head:
            merge(module, before, after, f"{key_of_text(old)} ({name})", layout)
            return f"{head if old_head == new_head else new_head}\n{module}".removesuffix("\n")
    text = merged_lines(owners, old, new)
    if text is not None and is_valid(text, is_member):
        return text
    # The elements of a call or a list are merged as lines are, if each is on a line of its own.
    prefix = "class _:\n" if is_member else ""
    versions_by_element = [layout(f"{prefix}{each}\n", True) for each in (owners, old, new)]
    if all(versions_by_element):
        text = merged_lines(*versions_by_element)
        if text is not None and (text := layout(f"{text}\n", False)):
            return text.removeprefix(prefix).rstrip("\n")
    _, _, *patch = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
    place = f"{key_of_text(old)} in {name}"
    raise Conflicts((place, "\n".join([f"--- {place}", f"+++ {place}", *patch])))


def key_of_text(statement: str) -> str:
    return parse(textwrap.dedent(statement)).items[0].key


def is_valid(text: str, is_member: bool) -> bool:
    try:
        ast.parse(f"class _:\n{text}" if is_member else text)
    except SyntaxError:
        return False
    return True


def merged_by_git(owners: str, old: str, new: str) -> str | None:
    """Return None if git finds a conflict, also where changed lines are next to each other."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, version) for version in ("yours", "before", "after")]
        for path, text in zip(paths, (owners, old, new), strict=True):
            path.write_text(f"{text}\n")
        command = ["git", "merge-file", "--stdout", *map(str, paths)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if result.returncode else result.stdout.removesuffix("\n")


def merged_lines(owners: str, old: str, new: str) -> str | None:
    """Merge changes that are next to each other; None if both change a line.

    Of lines that are added at one place, the tool's come first.
    """
    own, before, after = owners.splitlines(), old.splitlines(), new.splitlines()
    edits, changes = different(before, own), different(before, after)
    for start, stop, lines in reversed(changes):
        at = start
        for first, last, replacement in edits:
            if (first, last, replacement) == (start, stop, lines):
                break  # both made the same change
            if first < stop and start < last:
                return None
            if last <= start and not (first == start and start == stop):
                at += len(replacement) - (last - first)
        else:
            own[at : at + stop - start] = lines
    return "\n".join(own)


def different(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, Sequence[str]]]:
    """Return which lines of `old` are replaced by which lines of `new`."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        (start, stop, new[first:last])
        for tag, start, stop, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]
