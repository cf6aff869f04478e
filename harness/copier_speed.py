"""Leaves out work of Copier that every render and update of a process would repeat.

As a script, it is the command `copier`. It replaces four internals of Copier 9.19.
tests/updates/test_untouched.py compares an update with and without that.
"""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

from copier import _template as internals
from copier._cli import CopierApp
from copier._main import Worker
from copier._template import Template
from copier._vcs import get_latest_tag
from jinja2.environment import Environment


def speed_up_copier() -> None:
    """Compile and parse each file of a template once, and clone each version once.

    Copier compiles all Jinja templates for each render, which takes three quarters of its time, and
    asks git for each file whether the repository ignores the modes of files, which takes a third of
    the rest. An update clones the template five times.
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


if __name__ == "__main__":
    speed_up_copier()
    CopierApp.run()
