"""Files to write: shown as a diff, or written all or not at all."""

import difflib
from collections.abc import Mapping
from contextlib import suppress
from errno import EISDIR
from os import strerror
from pathlib import Path

from scaffolding.errors import Refused

# The new content of each file, or None for one to delete.
Changes = dict[str, bytes | None]


def diff(folder: Path, changes: Mapping[str, bytes | None]) -> str:
    parts: list[str] = []
    for name, content in sorted(changes.items()):
        path = folder / name
        old = path.read_text().splitlines(keepends=True) if path.exists() else []
        new = content.decode().splitlines(keepends=True) if content is not None else []
        before = f"a/{name}" if path.exists() else "/dev/null"
        after = f"b/{name}" if content is not None else "/dev/null"
        parts += difflib.unified_diff(old, new, before, after)
    return "".join(parts)


def write(folder: Path, changes: Mapping[str, bytes | None]) -> None:
    """Write all files, or none: new content is written beside the files before any is replaced.

    Raises `Refused`.
    """
    created: list[Path] = []
    for name, content in changes.items():
        try:
            if content is not None:
                stage(folder / name, content, created)
        except OSError as error:
            for path in reversed(created):
                with suppress(OSError):  # it was not created
                    path.rmdir() if path.is_dir() else path.unlink()
            raise Refused(
                f"{name} cannot be written ({error.strerror}): nothing was changed."
            ) from None
    for name, content in changes.items():
        if content is None:
            delete(folder, name)
        else:
            staged(folder / name).replace(folder / name)


def staged(path: Path) -> Path:
    """Return the file with the new content of a file."""
    return path.with_name(f".{path.name}.new")


def stage(path: Path, content: bytes, created: list[Path]) -> None:
    """Write the new content of a file, and append the files and folders that this creates."""
    if path.is_dir():
        raise IsADirectoryError(EISDIR, strerror(EISDIR))
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        created.append(parent)
    created.append(staged(path))
    staged(path).write_bytes(content)
    if path.exists():
        staged(path).chmod(path.stat().st_mode)


def delete(folder: Path, name: str) -> None:
    """Delete a file with its byte code, and the folders that are empty then."""
    path = folder / name
    path.unlink(missing_ok=True)
    for parent in path.relative_to(folder).parents[:-1]:
        for cache in (folder / parent).glob("__pycache__/*"):
            if cache.name.startswith(f"{path.stem}."):
                cache.unlink()
        with suppress(OSError):  # not empty
            (folder / parent / "__pycache__").rmdir()
        with suppress(OSError):
            (folder / parent).rmdir()
