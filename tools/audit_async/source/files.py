"""Finds and parses Python files."""

import ast
import os
import sys
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from audit_async.source.definitions import collect_definitions
from audit_async.source.modules import Module

SKIPPED_FOLDERS = {
    ".git",
    ".nox",
    ".tox",
    ".venv",
    "__pycache__",
    "build",
    "node_modules",
    "venv",
}


def python_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def parse(path: Path) -> Module | None:
    """The module; None, and a warning on standard error, if the file cannot be parsed."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = Module(path, ast.parse(text), text.splitlines())
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError) as error:
        print(f"{path}: skipped, cannot be parsed: {error}", file=sys.stderr)
        return None
    collect_definitions(module, module.tree.body)
    return module
