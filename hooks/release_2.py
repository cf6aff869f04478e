"""Update a service to 2.0.0: its owner's edits and imports follow what moved.

It runs after `copier update --trust`, or by hand after `copier recopy`. It renders the version of
the last update and the new one, rewrites the imports in the owner's files, and merges each file
that the owner edited.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import copier
import yaml
from imports import Import, imports_in
from merging import Parts, Style, merge_parts, merge_text, read
from rename import Blob, committed, git, ignored, remove_empty, render, set_unmerged
from rewriting import Moves, definitions, rewrite

TABLE = Path(__file__).with_suffix(".yaml")
COMMAND = re.compile(r"(?<=-m )(?:app|tests)(?:\.\w+)+")


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_python(path: str) -> bool:
    return path.endswith(".py")


class Tree:
    """The files of a service, and what its modules define."""

    def __init__(self, folder: Path, paths: set[str] | None = None) -> None:
        self.folder = folder
        files = (path for path in folder.rglob("*") if path.is_file())
        self.paths = paths or {path.relative_to(folder).as_posix() for path in files}
        self.modules: dict[str, tuple[set[str], dict[str, str]]] = {}

    def content(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def path_of(self, module: str) -> str | None:
        stem = module.replace(".", "/")
        return next((p for p in (f"{stem}.py", f"{stem}/__init__.py") if p in self.paths), None)

    def names(self, module: str) -> tuple[set[str], dict[str, str]]:
        """Return the names that a module defines, and its imported names with their modules."""
        if module not in self.modules:
            path = self.path_of(module)
            tree = ast.parse(self.content(path) if path else b"")
            nodes = [
                node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)
            ]
            imported = {i.bound: i.module for node in nodes for i in imports_in(ast.unparse(node))}
            self.modules[module] = set(definitions(tree)), imported
        return self.modules[module]

    def has(self, module: str, name: str = "") -> bool:
        if not name:
            return self.path_of(module) is not None
        defined, imported = self.names(module)
        return name in defined or name in imported

    def home(self, module: str, name: str) -> str:
        """Return the module that defines a name, which `module` may only import."""
        defined, imported = self.names(module)
        if name not in defined and self.has(imported.get(name, ""), name):
            return self.home(imported[name], name)
        return module


def load_moves(new: Tree) -> Moves:
    """Read the table, for the answers of a service."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    modules = {old: choose(found, old, "", new)[0] for old, found in table["modules"].items()}
    names = {
        module: {
            name: choose(found, modules.get(module, module), name, new) if found else None
            for name, found in places.items()
        }
        for module, places in table["names"].items()
    }
    return Moves(modules, names, table["attributes"])


def choose(found: Any, module: str, name: str, new: Tree) -> tuple[str, str]:
    """Choose the first place that the service has."""
    places = []
    for place in found if isinstance(found, list) else [found]:
        there, _, renamed = place.partition(":")
        places.append((there or module, renamed or name))
    return next((place for place in places if new.has(*place)), places[0])


class Update:
    """The update of the service in the working directory."""

    def __init__(self, answers_file: str, old: Tree, new: Tree) -> None:
        self.old, self.new = old, new
        self.files = committed()
        # Copier's own file, one that it leaves alone, and links, which have no content.
        self.skipped = {answers_file, ".env"} | {
            path for path, blob in self.files.items() if not blob.mode.startswith("100")
        }
        self.moves = load_moves(new)
        settings = self.files["pyproject.toml"].read() if "pyproject.toml" in self.files else b""
        width = re.search(rb"^line-length\s*=\s*(\d+)", settings, re.MULTILINE)
        tops = {path.partition("/")[0].removesuffix(".py") for path in self.files}
        self.style = Style(tops, int(width[1]) if width else 88)
        self.exported: dict[str, set[str]] = {}
        for path in filter(is_python, self.files):
            for module, name in imports_of(path, self.files[path].read()):
                self.exported.setdefault(module, set()).add(name)
        self.unmerged = set(git_lines("diff", "--name-only", "--relative", "--diff-filter=U"))
        self.merged: dict[str, str] = {}
        self.unread: set[str] = set()

    def run(self) -> None:
        for path, blob in sorted(self.files.items()):
            if path in self.skipped:
                continue
            if path in self.old.paths:
                self.update(path, blob)
            else:
                self.update_own(path)
        self.drop_deleted()
        for path in sorted(self.unread):
            print(f"{path}: this version of Python cannot parse it; its imports are unchanged.")
        for path, module, name in sorted(self.missing()):
            print(f"{path}: {module} has no {name}; the changelog says what to use.")

    # ------------------------------------------------------------ Where files and names are

    def new_path(self, path: str) -> str:
        """Return the path that a file has in the new version, or most of it."""
        if not is_python(path) or path.endswith("__init__.py"):
            return path
        return self.new.path_of(self.moves.find_module(module_of(path))) or path

    def home(self, path: str, name: str, is_of_template: bool) -> str:
        """Return the path where a definition is now; `name` is the new one."""
        primary, module = self.new_path(path), module_of(path)
        places = [place for place in self.moves.names.get(module, {}).values() if place]
        modules = [module for module, new in places if new == name]
        if is_of_template:
            # Not in the table: private functions, which went where others went.
            modules.append(module_of(primary))
            modules += sorted({self.new.home(*place) for place in places if self.new.has(*place)})
        for found in modules:
            home = self.new.home(found, name)
            if name in self.new.names(home)[0]:
                return self.new.path_of(home) or primary
        return primary

    # ------------------------------------------------------------ One file

    def rewritten(self, path: str, content: bytes, new: str) -> str | None:
        """Return a file with its imports or commands rewritten; None if it is not text."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        if not is_python(path):
            return COMMAND.sub(lambda found: self.moves.find_dotted(found[0]), text)
        try:
            return rewrite(
                text,
                path.removesuffix(".py").replace("/", "."),
                new.removesuffix(".py").replace("/", "."),
                self.moves,
                exported=self.exported.get(module_of(path), ()),
                first_party=self.style.first_party,
                width=self.style.width,
            )
        except (SyntaxError, ValueError):
            self.unread.add(path)
            return text

    def update_own(self, path: str) -> None:
        """Rewrite a file that the template never had."""
        here = Path(path)
        if path in self.new.paths or not here.is_file():
            return  # now the template has one, too: Copier merged them
        content = here.read_bytes()
        text = self.rewritten(path, content, path)
        if text is not None and text.encode() != content:
            here.write_bytes(text.encode())
            print(f"{path}: {'imports' if is_python(path) else 'commands'} rewritten.")

    def update(self, path: str, blob: Blob) -> None:
        """Bring a file of the template to the new version, with the edits of its owner."""
        is_edited = blob.read() != self.old.content(path)
        new = self.new_path(path)
        if new != path and new in self.files:
            if is_edited:
                self.keep(path, blob, path)
                print(f"{path} stays, because {new} is a file of its own: compare them.")
        elif new not in self.new.paths:
            if is_edited or self.is_needed(path):
                self.keep(path, blob, path)
            else:
                remove(path)
            return
        elif is_edited:
            self.merge(path, new, blob)
        is_executable = self.old.folder.joinpath(path).stat().st_mode & 0o100 != 0
        if (blob.mode == "100755") != is_executable and Path(new).is_file():
            blob.set_mode(Path(new))
        if new != path and not (is_edited and new in self.files):
            remove(path)
        if f"{path}.rej" not in self.files:
            Path(f"{path}.rej").unlink(missing_ok=True)  # of `copier update --conflict rej`

    def is_needed(self, path: str) -> bool:
        """Whether an unedited file stays although it is not rendered any more."""
        package = path.removesuffix("__init__.py")
        others = {name for name in self.files if name.startswith(package)} - self.old.paths
        return path.startswith("migrations/versions/") or (package != path and len(others) > 0)

    def keep(self, path: str, blob: Blob, new: str) -> None:
        text = self.rewritten(path, blob.read(), new)
        content = blob.read() if text is None else text.encode()
        Path(new).parent.mkdir(parents=True, exist_ok=True)
        Path(new).write_bytes(content)
        blob.set_mode(Path(new))

    def merge(self, path: str, new: str, blob: Blob) -> None:
        """Merge an edited file into the new one, or into the files that have its parts now."""
        # An update has merged it already; `copier recopy` has overwritten it.
        is_lost = Path(new).is_file() and Path(new).read_bytes() == self.new.content(new)
        ours = self.rewritten(path, blob.read(), new)
        base = self.rewritten(path, self.old.content(path), new)
        if ours is None or base is None:
            if is_lost and self.new.content(new) == self.old.content(path):
                self.keep(path, blob, new)
            return
        theirs = self.new.content(new).decode()
        if not is_python(path):
            if is_lost or ours.encode() != blob.read():
                self.write(path, new, (ours, base, theirs), *merge_text(ours, base, theirs))
            return
        try:
            mine, old = read(ours), read(base)
        except SyntaxError:
            self.write(path, new, (ours, base, theirs), *merge_text(ours, base, theirs))
            return
        homes = {name: self.home(path, name, name in old.names) for name in mine.names | old.names}
        for there in dict.fromkeys([new, *sorted(homes.values())]):
            self.merge_part(path, there, homes, mine, old)

    def merge_part(
        self, path: str, new: str, homes: dict[str, str], ours: Parts, base: Parts
    ) -> None:
        """Merge the definitions of a file that are in the file `new` now."""
        mine, old = (s.only(lambda block: homes[block.name] == new) for s in (ours, base))
        is_primary = new == self.new_path(path)
        if not is_primary and mine.body == old.body:
            return
        text = self.merged.get(new, self.new.content(new).decode())
        try:
            theirs = read(text)
        except SyntaxError:  # there are conflicts with parts of another file
            sides = str(mine), str(old), text
            self.write(path, new, sides, *merge_text(*sides))
            return
        if not is_primary:
            mine, old = (Parts(theirs.head, side.imports, side.blocks) for side in (mine, old))
        moved = [
            Import(module_of(home), name) for name, home in homes.items() if name and home != new
        ]
        merged = merge_parts(mine, old, theirs, moved, self.style)
        self.write(path, new, (str(mine), str(old), text), *merged)

    def write(
        self, path: str, new: str, sides: tuple[str, str, str], merged: str, conflict: bool
    ) -> None:
        Path(new).parent.mkdir(parents=True, exist_ok=True)
        Path(new).write_bytes(merged.encode())
        self.merged[new] = merged
        if conflict:
            set_unmerged(new, self.files[path].mode, *(side.encode() for side in sides))
            self.unmerged.add(new)
            print(f"{new}: conflict with your changes of {path}; resolve it.")
        else:
            if new in self.unmerged and "<<<<<<< before" not in merged:
                git("reset", "--quiet", "--", new)
            if new != path and merged != sides[2]:
                print(f"{new} has your changes of {path}.")

    # ------------------------------------------------------------ Afterwards

    def drop_deleted(self) -> None:
        """Delete what the owner had deleted, unless the service needs it under its new name."""
        deleted = {path: self.new_path(path) for path in self.old.paths - set(self.files)}
        # Tests first, which import what they test.
        for path, new in sorted(deleted.items(), reverse=True):
            if new in self.files or not Path(new).is_file() or ignored(path, new):
                continue
            imported = {
                name for _, module, last in self.imports() for name in (module, f"{module}.{last}")
            }
            if new == path or module_of(new) not in imported:
                remove(new)

    def imports(self) -> Iterator[tuple[str, str, str]]:
        """Yield the file, the module and the name of each import in the service as it is now."""
        for path in sorted(set(self.files) | self.new.paths):
            if is_python(path) and Path(path).is_file():
                for module, name in imports_of(path, Path(path).read_bytes()):
                    yield path, module, name

    def missing(self) -> set[tuple[str, str, str]]:
        """Return the imports of the service's own modules that would fail."""
        paths = {path for path in set(self.files) | self.new.paths if Path(path).is_file()}
        now = Tree(Path(), paths)
        found = set()
        for path, module, name in self.imports():
            if module.partition(".")[0] in ("app", "tests") and name != "*":
                try:
                    is_there = now.has(module, name) or now.has(f"{module}.{name}")
                except SyntaxError:  # with conflicts
                    continue
                if not is_there and now.has(module):
                    found.add((path, module, name))
                elif not is_there:
                    package, _, last = module.rpartition(".")
                    found.add((path, package, last))
        return found


def imports_of(path: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each `from` import in a file."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            yield from ((module, alias.name) for alias in node.names)


def remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
    remove_empty(Path(path).parent)


def git_lines(*arguments: str) -> list[str]:
    return git(*arguments).decode().splitlines()


def render_new(answers_file: str, folder: Path) -> None:
    """Render the new version as an update does: beside the answers of the last update."""
    answers = yaml.safe_load(Path(answers_file).read_text(encoding="utf-8"))
    given = {name: answer for name, answer in answers.items() if not name.startswith("_")}
    (folder / answers_file).write_bytes(git("show", f"HEAD:./{answers_file}"))
    copier.run_copy(
        str(Path(__file__).parent.parent),
        folder,
        answers_file=answers_file,
        # The folder has no migrations of the owner, so there is no default.
        data={"newest_migration": "0001", **given},
        vcs_ref=answers["_commit"],
        defaults=True,
        overwrite=True,
        skip_tasks=True,
        quiet=True,
    )


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit("release_2.py takes the answers file.")
    (answers_file,) = arguments
    answers_file = Path(answers_file).as_posix()
    with tempfile.TemporaryDirectory() as name:
        old, new = Path(name, "old"), Path(name, "new")
        new.mkdir()
        try:
            render(answers_file, old)
            render_new(answers_file, new)
        except Exception as error:
            sys.exit(
                "A version of the template cannot be rendered, so your edits of files that moved "
                f"are only in the last commit: `git show HEAD:./path` has them. {error}"
            )
        Update(answers_file, Tree(old), Tree(new)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
