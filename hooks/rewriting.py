"""Rewrite imports, and uses of what they bind, after modules and names have moved."""

import ast
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from imports import (
    Import,
    imports_in,
    read_imports,
    split_at_imports,
    statements,
    write_imports,
)

DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
Node = ast.expr | ast.stmt


@dataclass
class Moves:
    """Where modules and names are now.

    `modules` maps old to new ones. `names` maps the names of an old module, where they did not
    just move along with it: to the new module and name, or to None for names that are gone.
    """

    modules: Mapping[str, str]
    names: Mapping[str, Mapping[str, tuple[str, str] | None]]
    attributes: Mapping[str, str] = field(default_factory=dict)

    def is_module(self, name: str) -> bool:
        return name in self.modules or name in self.names

    def find(self, module: str, name: str) -> tuple[str, str]:
        """Return the new module and name of `module.name`, which may itself be a module."""
        if self.is_module(f"{module}.{name}"):
            parent, _, last = self.find_module(f"{module}.{name}").rpartition(".")
            return parent, last
        # A name that is gone is looked for where its module is; the import then fails by name.
        return self.names.get(module, {}).get(name) or (self.find_module(module), name)

    def find_module(self, module: str) -> str:
        return self.modules.get(module, module)

    def find_dotted(self, dotted: str) -> str:
        """Return the new form of `package.module.name.attribute`."""
        parts = dotted.split(".")
        for count in range(len(parts), 0, -1):
            module, rest = ".".join(parts[:count]), parts[count:]
            if self.is_module(module):
                if not rest:
                    return self.find_module(module)
                return ".".join([*self.find(module, rest[0]), *rest[1:]])
        return dotted


# ---------------------------------------------------------------- Reading the file


class Source:
    """A file, its syntax tree, and replacements to make in it."""

    def __init__(self, text: str) -> None:
        self.content = text.encode()
        self.tree = ast.parse(text)
        self.starts = [0]
        for line in self.content.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.edits: dict[tuple[int, int], str] = {}

    def span(self, node: Node) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: Node) -> str:
        start, end = self.span(node)
        return self.content[start:end].decode(errors="replace")

    def replace(self, node: Node, new: str) -> None:
        self.edits[self.span(node)] = new

    def result(self) -> str:
        content = self.content
        for (start, end), new in sorted(self.edits.items(), reverse=True):
            content = content[:start] + new.encode() + content[end:]
        return content.decode()


def bound_otherwise(tree: ast.AST) -> set[str]:
    """Return the names that the file binds by other means than imports, in any scope."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            names.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest or "")
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
    return names


def definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """Return what the file defines at its top, inside of `if` and `try` as well."""
    found: dict[str, ast.stmt] = {}
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
            found |= {name.id: node for name in names}
        elif hasattr(node, "name") and isinstance(node.name, ast.Name):  # `type X = …`
            found[node.name.id] = node
        for block in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
                waiting += getattr(node, block, [])
    return found


def exported_names(tree: ast.Module) -> set[str]:
    """Return the strings of `__all__`."""
    names: set[str] = set()
    for node in tree.body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            constants = [n for n in ast.walk(node) if isinstance(n, ast.Constant)]
            names.update(n.value for n in constants if isinstance(n.value, str))
    return names


def annotation_strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the annotations, and parts of annotations, that are written as strings."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if isinstance(annotation, ast.expr):
                for part in ast.walk(annotation):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part


def dotted_name(node: ast.expr) -> str:
    """Return `a.b.c` for a name and its attributes, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted_name(node.value)):
        return f"{left}.{node.attr}"
    return ""


# ---------------------------------------------------------------- Rewriting


class Rewriting:
    """The rewriting of one file, which was `module` and will be `new_module`."""

    def __init__(self, text: str, module: str, new_module: str, moves: Moves, width: int) -> None:
        self.source = Source(text)
        self.tree = self.source.tree
        self.module, self.new_module, self.moves = module, new_module, moves
        self.width = width
        self.taken = bound_otherwise(self.tree)
        self.names = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        self.kept = exported_names(self.tree)
        self.imports = {
            node: read_imports(node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        self.bound = {item.bound for items in self.imports.values() for item in items}

    def absolute(self, item: Import) -> str:
        """Return the old absolute name of the module that is imported from."""
        if not item.level:
            return item.module
        parts = self.module.split(".")[: -item.level]
        return ".".join([*parts, item.module] if item.module else parts)

    def spell(self, item: Import, module: str) -> tuple[str, int]:
        """Return how the new module is written, and how many dots: relative if it was before."""
        package = self.new_module.split(".")[:-1]
        parts = module.split(".")
        if not item.level or not package or parts[0] != package[0]:
            return module, 0
        common = 0
        while common < min(len(parts), len(package)) and parts[common] == package[common]:
            common += 1
        return ".".join(parts[common:]), len(package) - common + 1

    def run(self, exported: Collection[str]) -> str:
        self.rename_definitions()
        self.kept |= set(exported)
        for node, items in self.imports.items():
            new = [new for item in items for new in self.rewrite_import(item)]
            if new != items:
                self.replace_import(node, new)
        self.rewrite_strings()
        self.rewrite_attributes()
        return self.source.result()

    def rename_definitions(self) -> None:
        """Rename what this file itself defines, such as a class of the template."""
        table = self.moves.names.get(self.module.removesuffix(".__init__"), {})
        for old, node in definitions(self.tree).items():
            moved = table.get(old)
            new = moved[1] if moved else old
            if new != old and new not in self.taken | self.names | self.bound:
                self.rename_uses(old, new)
                written = self.source.text(node)
                if not isinstance(node, ast.Assign | ast.AnnAssign):
                    # The name alone: there are other replacements inside.
                    start, _ = self.source.span(node)
                    match = re.match(rf"(?:class|def|async\s+def)\s+({old})\b", written)
                    if match:
                        self.source.edits[start + match.start(1), start + match.end(1)] = new

    def rewrite_import(self, item: Import) -> list[Import]:
        module = self.absolute(item)
        if not item.name:
            return self.rewrite_module_import(item)
        if item.name == "*":
            found = {self.moves.find_module(module)}
            found |= {new[0] for new in self.moves.names.get(module, {}).values() if new}
            return [self.make(item, new, "*") for new in sorted(found)]
        new_module, name = self.moves.find(module, item.name)
        if self.moves.is_module(f"{module}.{item.name}"):
            return self.rewrite_uses_of_module(item, f"{module}.{item.name}")
        if item.alias or name == item.name:
            return [self.make(item, new_module, name)]
        if self.rename(item.name, name):
            return [self.make(item, new_module, name)]
        return [self.make(item, new_module, name, item.name)]

    def make(self, item: Import, module: str, name: str, alias: str = "") -> Import:
        spelled, level = self.spell(item, module)
        return Import(spelled, name, alias or item.alias, level)

    def rename(self, old: str, new: str) -> bool:
        """Rename all uses of an imported name, unless another meaning of it is in the file."""
        if old in self.taken | self.kept or new in self.taken | self.names | self.bound:
            return False
        sources = {
            self.absolute(item)
            for items in self.imports.values()
            for item in items
            if item.bound == old
        }
        return len(sources) == 1 and self.rename_uses(old, new)

    def rename_uses(self, old: str, new: str) -> bool:
        uses = [node for node in ast.walk(self.tree) if isinstance(node, ast.Name)]
        uses = [node for node in uses if node.id == old]
        # In f-strings, Python 3.11 and older give wrong places.
        if any(self.source.text(node) != old for node in uses):
            return False
        for node in uses:
            self.source.replace(node, new)
        for string in annotation_strings(self.tree):
            written = self.source.text(string)
            renamed = re.sub(rf"\b{old}\b", new, written)
            if renamed != written:
                self.source.replace(string, renamed)
        return True

    def rewrite_uses_of_module(self, item: Import, module: str) -> list[Import]:
        """Rewrite `crud.name` after `from package import crud`; its names may be in several now."""
        home = self.moves.find_module(module)
        uses = list(self.uses_of(item.bound, module))
        needed: dict[str, Import] = {}
        for node, attribute in uses:
            new_module, name = self.moves.find(module, attribute)
            if new_module not in needed:
                needed[new_module] = self.bind_module(item, module, new_module)
            bound = needed[new_module].bound
            if (bound, name) == (item.bound, attribute):
                continue
            if isinstance(node, ast.Attribute):
                self.source.replace(node, f"{bound}.{name}")
            else:  # the object and the name of `monkeypatch.setattr(crud, "name", …)`
                self.source.replace(node.args[0], bound)
                self.replace_string(node.args[1], name)
        mentioned = [n for n in ast.walk(self.tree) if isinstance(n, ast.Name)]
        others_use_it = sum(node.id == item.bound for node in mentioned) > len(uses)
        if not needed or others_use_it or item.bound in self.kept:
            needed.setdefault(home, self.bind_module(item, module, home))
        return list(needed.values())

    def bind_module(self, item: Import, old: str, new: str) -> Import:
        parent, _, last = new.rpartition(".")
        if new == self.moves.find_module(old):
            alias = "" if last == item.bound else item.bound
            return self.make(item, parent, last, alias or ("" if not item.alias else item.alias))
        free = last not in self.taken | self.bound | self.names
        name = last if free else f"{parent.rpartition('.')[2]}_{last}"
        spelled, level = self.spell(item, parent)
        return Import(spelled, last, "" if name == last else name, level)

    def uses_of(self, bound: str, module: str) -> Iterator[tuple[ast.Attribute | ast.Call, str]]:
        """Yield `bound.name`, and calls such as `monkeypatch.setattr(bound, "name", …)`."""
        if bound in self.taken:
            return
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and dotted_name(node.value) == bound:
                if self.source.text(node).startswith(bound):
                    yield node, node.attr
            elif isinstance(node, ast.Call) and len(node.args) > 1:
                target, name = node.args[:2]
                if (
                    dotted_name(target) == bound
                    and isinstance(name, ast.Constant)
                    and isinstance(name.value, str)
                    and name.value.isidentifier()
                ):
                    yield node, name.value

    def rewrite_module_import(self, item: Import) -> list[Import]:
        """Rewrite `import package.module`, and `package.module.name` where it is used."""
        if not self.moves.is_module(item.module):
            return [item]
        if item.alias:
            found = self.rewrite_uses_of_module(item, item.module)
            return [
                Import(f"{new.module}.{new.name}", "", new.bound) if new.name else new
                for new in found
            ]
        home = self.moves.find_module(item.module)
        needed = set()
        for node, attribute in self.uses_of(item.module, item.module):
            new_module, name = self.moves.find(item.module, attribute)
            needed.add(new_module)
            if (new_module, name) == (item.module, attribute):
                continue
            if isinstance(node, ast.Attribute):
                self.source.replace(node, f"{new_module}.{name}")
            else:
                self.source.replace(node.args[0], new_module)
                self.replace_string(node.args[1], name)
        return [Import(module) for module in sorted(needed or {home})]

    def replace_string(self, node: ast.expr, new: str) -> None:
        written = self.source.text(node)
        assert isinstance(node, ast.Constant)
        if written[1:-1] == node.value:  # no prefix, no escapes
            self.source.replace(node, f"{written[0]}{new}{written[-1]}")

    def replace_import(self, node: ast.stmt, imports: list[Import]) -> None:
        start, end = self.source.span(node)
        line_start = self.source.content.rfind(b"\n", 0, start) + 1
        indent = self.source.content[line_start:start].decode()
        written = self.source.content[start:end].decode()
        comments = re.findall(r"#.*", written)
        if indent.strip():  # after a `;` on the same line
            new = "; ".join(statements(imports, "", sys.maxsize))
        else:
            new = f"\n{indent}".join([*comments, *statements(imports, indent, self.width)])
        self.source.replace(node, new)

    def rewrite_strings(self) -> None:
        """Rewrite strings that are the dotted name of a module, or of something in one."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_dotted = DOTTED.fullmatch(node.value) is not None
                if is_dotted and self.source.span(node) not in self.source.edits:
                    new = self.moves.find_dotted(node.value)
                    if new != node.value:
                        self.replace_string(node, new)

    def rewrite_attributes(self) -> None:
        """Rewrite attributes such as those of `app.state`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                owner = getattr(node.value, "attr", getattr(node.value, "id", ""))
                new = self.moves.attributes.get(f"{owner}.{node.attr}")
                written = self.source.text(node)
                if new and written.endswith(node.attr):
                    self.source.replace(node, written.removesuffix(node.attr) + new)


def rewrite(
    text: str,
    module: str,
    new_module: str,
    moves: Moves,
    *,
    exported: Collection[str] = (),
    first_party: Collection[str] = ("app", "tests"),
    width: int = 100,
) -> str:
    """Rewrite a file that was `module` and will be `new_module`.

    `exported` are names that other files import from here, so they keep their names. Raises
    `SyntaxError` for what this version of Python cannot parse.
    """
    rewriting = Rewriting(text, module, new_module, moves, width)
    new = rewriting.run(exported)
    if new == text:
        return text
    # Imports that were sorted stay sorted.
    _, old_imports, _ = split_at_imports(text)
    before, imports, after = split_at_imports(new)
    if imports and old_imports == write_imports(imports_in(old_imports), first_party, width):
        imports = write_imports(imports_in(imports), first_party, width)
    return before + imports + after
