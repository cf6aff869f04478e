"""The files of a service that a resource adds, or that more fields change."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from scaffolding.errors import Refused, refuse_all
from scaffolding.merging import added, merged
from scaffolding.service import Service, copy_settings
from scaffolding.template import add_room, fetched, rendered

Files = dict[str, str]
Change = Callable[[str, str, str, str], str]


@contextmanager
def rendered_versions(
    service: Service, commit: str, versions: Sequence[Mapping[str, Any]], folder: Path
) -> Iterator[list[Path]]:
    """Yield the service rendered without the resource, and with each version of it."""
    with fetched(service.answers, commit) as template:
        trees = [rendered(template, service.answers, folder / "base")]
        for number, resource in enumerate(versions):
            variant = folder / f"template{number}"
            shutil.copytree(template, variant)
            add_room(variant, resource, accounts=service.has_accounts)
            trees.append(rendered(variant, service.answers, folder / f"with{number}"))
        yield trees


def modules_of(tree: Path) -> Files:
    found = [*(tree / "app").rglob("*.py"), *(tree / "tests").rglob("*.py")]
    return {path.relative_to(tree).as_posix(): path.read_text() for path in found}


def add_all(copy: Service, python: Path, base: Path, new: Path) -> Files:
    """Return the files that the resource adds or changes."""
    before, after = differing(copy, python, base, new)
    return change_all(copy, added, before, after, "use another name for the resource")


def merge_all(copy: Service, python: Path, trees: Sequence[Path]) -> Files:
    """Return the files that more fields change."""
    old = placed(copy, python, trees[0], trees[1])
    new = placed(copy, python, trees[0], trees[2])
    return merge_files(copy, python, old, new)


def merge_files(copy: Service, python: Path, old: Files, new: Files) -> Files:
    def change(owners: str, old: str, new: str, name: str) -> str:
        return merged(owners, old, new, name, partial(copy.formatted, python, name))

    return change_all(copy, change, old, new, "rename it, and run this again")


def change_all(copy: Service, change: Change, old: Files, new: Files, advice: str) -> Files:
    """Return the files that change from the old to the new ones, or refuse for all reasons."""
    files: Files = {}
    reasons: list[Refused] = []
    for name, text in new.items():
        if old.get(name) == text:
            continue
        try:
            if name in old:
                files[name] = changed(copy, name, change, old[name], text)
            elif (copy.folder / name).exists():
                raise Refused(f"{name} exists already: {advice}.")
            else:
                files[name] = text
        except Refused as reason:
            reasons.append(reason)
    refuse_all(reasons)
    return files


def changed(copy: Service, name: str, change: Change, old: str, new: str) -> str:
    try:
        return change((copy.folder / name).read_text(), old, new, name)
    except FileNotFoundError:
        raise Refused(
            f"{name} is missing, but has to be changed: restore it, and run this again."
        ) from None
    except UnicodeDecodeError:
        raise Refused(f"{name} is not encoded in UTF-8: convert it first.") from None
    except SyntaxError as error:
        raise Refused(
            f"{name} is not valid Python, in line {error.lineno}: correct it first."
        ) from None


def placed(copy: Service, python: Path, base: Path, new: Path) -> Files:
    """Return the files of a resource as they were written into an unedited service."""
    before, after = differing(copy, python, base, new)
    files = {
        name: added(before[name], before[name], text, name) if name in before else text
        for name, text in after.items()
    }
    return in_style(copy, python, files)


def differing(copy: Service, python: Path, base: Path, new: Path) -> tuple[Files, Files]:
    """Return the modules that differ, before and after, in the style of the service."""
    before, after = modules_of(base), modules_of(new)
    changed = {name: text for name, text in after.items() if before.get(name) != text}
    old = {name: before[name] for name in changed if name in before}
    return in_style(copy, python, old), in_style(copy, python, changed)


def in_style(copy: Service, python: Path, files: Files) -> Files:
    """Return files as the linter and formatter of the service write them."""
    with tempfile.TemporaryDirectory(dir=copy.folder.parent) as folder:
        written = Service.__new__(Service)
        written.folder = Path(folder)
        copy_settings(copy.folder, written.folder)
        apply(written, python, files)
        return {name: (written.folder / name).read_text() for name in files}


def apply(copy: Service, python: Path, files: Files) -> None:
    existing = [name for name in files if (copy.folder / name).exists()]
    unformatted = copy.unformatted(python, existing) if existing else []
    for name, text in files.items():
        (copy.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.folder / name).write_text(text)
    copy.format(python, files, unformatted)
