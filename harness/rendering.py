"""Rendering the work tree as a user does: by Copier, without trust and without questions."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

import copier
from copier import _template as internals
from copier._main import Worker
from copier._template import Template
from copier._vcs import get_latest_tag
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
    file whether the repository ignores the modes of files, which takes a third of the rest. An
    update clones the template five times.
    """
    _compile_once()
    _clone_once()
    _parse_once()
    Worker._sync_git_index_executable_bit = _do_nothing  # type: ignore[method-assign,assignment]


def _do_nothing(*_: object) -> None: ...


def _clone_once() -> None:
    """Keep the clone of each commit of a template until this process ends."""
    clone: Callable[..., str] = vars(internals)["clone"]
    clones: dict[tuple[str, str], str] = {}

    def local_path(self: Template) -> Path:
        if self.vcs != "git":
            return Path(self.url).resolve()
        url = self.url_expanded
        ref = self.ref or get_latest_tag(url, self.use_prereleases)
        command = ["git", "-C", url, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        key = (url, commit)
        if not commit or ref == "HEAD":  # a remote repository, or one with changes
            self._temp_clone_path = Path(tempfile.mkdtemp())
            return Path(clone(url, ref, location=str(self._temp_clone_path))).resolve()
        if key not in clones:
            folder = tempfile.mkdtemp(prefix="clone-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            clones[key] = clone(url, ref, location=folder)
        return Path(clones[key]).resolve()

    descriptor = cached_property(local_path)
    descriptor.__set_name__(Template, "local_abspath")
    Template.local_abspath = descriptor  # type: ignore[assignment]


def _parse_once() -> None:
    """Parse each copier.yml once, which takes a fifth of an update."""
    load: Callable[..., Any] = vars(internals)["load_template_config"]
    loaded: dict[tuple[Path, int], Any] = {}

    def load_once(path: Path, quiet: bool = False) -> Any:
        key = (path, path.stat().st_mtime_ns)
        if key not in loaded:
            loaded[key] = load(path, quiet)
        return deepcopy(loaded[key])

    vars(internals)["load_template_config"] = load_once


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
