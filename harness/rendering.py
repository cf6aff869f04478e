"""Rendering the work tree as a user does: by Copier, without trust and without questions."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import copier
from copier._main import Worker
from jinja2.environment import Environment

ROOT = Path(__file__).parent.parent


def export(folder: Path) -> Path:
    """Copy the files that git does not ignore, so that Copier sees no tags and no caches."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return folder


def render(template: Path, service: Path, *, overwrite: bool = False, **answers: Any) -> Path:
    """Run `copier copy` without trust and without questions."""
    copier.run_copy(
        str(template),
        service,
        data=answers,
        defaults=True,
        overwrite=overwrite,
        unsafe=False,
        quiet=True,
    )
    return service


def speed_up_copier() -> None:
    """Leave out work of Copier that every render of this process would repeat.

    It compiles all Jinja templates, which takes three quarters of its time, and asks git for each
    file whether the repository ignores the modes of files, which takes a third of the rest.
    """
    _compile_once()
    Worker._sync_git_index_executable_bit = _do_nothing  # type: ignore[method-assign,assignment]


def _do_nothing(*_: object) -> None: ...


def _compile_once() -> None:
    compile_: Any = Environment.compile  # whose overloads need literal arguments
    cached: dict[Any, Any] = {}

    def cached_compile(
        self: Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        self.preprocess(str(source), name, filename)  # resets the state of Copier's `yield`
        key = (source, name, raw)
        if "ans_random" in str(source):  # constant folding would reuse the secret
            return compile_(self, source, name, filename, raw, defer_init)
        if key not in cached:
            cached[key] = compile_(self, source, name, filename, raw, defer_init)
        return cached[key]

    Environment.compile = cached_compile  # type: ignore[method-assign]  # a patch
