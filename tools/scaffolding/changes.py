"""Files to write: shown as a diff, or written all or not at all."""

import difflib
from collections.abc import Mapping
from contextlib import suppress
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
    """Write all files; if one cannot be written, restore those that were."""
    before: Changes = {}
    try:
        for name, content in changes.items():
            path = folder / name
            before[name] = path.read_bytes() if path.exists() else None
            replace(folder, name, content)
    except OSError as error:
        for name, old in before.items():
            with suppress(OSError):
                replace(folder, name, old)
        raise Refused(
            f"{error.filename} cannot be written ({error.strerror}): nothing was changed."
        ) from None


def replace(folder: Path, name: str, content: bytes | None) -> None:
    path = folder / name
    if content is None:
        path.unlink(missing_ok=True)
        for parent in path.relative_to(folder).parents[:-1]:
            for cache in (folder / parent).glob("__pycache__/*"):
                if cache.name.startswith(f"{path.stem}."):
                    cache.unlink()
            with suppress(OSError):  # not empty
                (folder / parent / "__pycache__").rmdir()
            with suppress(OSError):
                (folder / parent).rmdir()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    if path.exists():
        temporary.chmod(path.stat().st_mode)
    temporary.replace(path)
