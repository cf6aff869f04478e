"""Checking documents, and running their code blocks: Python and shell, in order."""

import ast
import asyncio
import builtins
import gc
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser

from harness.rendering import ROOT

SECONDS_PER_BLOCK = 120
EXECUTED = {"python", "sh"}

FENCE = re.compile(r"^ *(```+|~~~+)(.*)$")


def documents() -> list[Path]:
    return sorted((ROOT / "docs").glob("**/*.md"))


def fences(text: str) -> Iterator[tuple[int, str]]:
    """Line and language of each fenced block, found independently of sybil."""
    closing = None
    for number, line in enumerate(text.splitlines(), start=1):
        match = FENCE.match(line)
        if closing is not None:
            if line.strip() == closing:
                closing = None
        elif match:
            closing = match[1]
            yield number, match[2].strip()


def has_code(document: Path) -> bool:
    return any(language in EXECUTED for _, language in fences(document.read_text()))


def without_fences(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(document: Path) -> set[str]:
    """The anchors that GitHub derives from headings."""
    titles = re.findall(r"^#+ (.+)$", without_fences(document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path) -> list[str]:
    """The links to documents and headings that do not exist."""
    broken = []
    text = without_fences(document.read_text())
    for name, heading in re.findall(r"\]\(([\w./-]*\.md)?(?:#([\w-]+))?\)", text):
        target = document.parent / name if name else document
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append(f"{name}#{heading}")
    return broken


def unclosed_code(text: str) -> list[str]:
    """The paragraphs in which inline code begins and does not end."""
    return [
        paragraph
        for paragraph in without_fences(text).split("\n\n")
        if "`" in re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", paragraph, flags=re.DOTALL)
    ]


class Guide:
    """A document whose blocks share a namespace, a folder and an event loop.

    Python blocks may use `await`. The loop does not run between blocks, so a block without `await`
    may call `asyncio.run`.
    """

    def __init__(self, path: Path, folder: Path, **names: object) -> None:
        self.path = path
        self.folder = folder
        self.names = names
        self.executed: list[int] = []
        # A real module, in which SQLAlchemy looks up the names in annotations.
        self.module = ModuleType(f"guide_{re.sub(r'[^a-z]', '_', path.stem)}")

    def run(self) -> None:
        """Execute the blocks in `folder`, up to the first that fails."""
        parsers = [CodeBlockParser("python", self.python), CodeBlockParser("sh", self.shell)]
        vars(self.module).update(self.names, __builtins__=builtins)
        sys.modules[self.module.__name__] = self.module
        try:
            with asyncio.Runner() as self.loop:
                for example in Sybil(parsers).parse(self.path).examples():
                    example.evaluate()
        finally:
            del sys.modules[self.module.__name__]
            vars(self.module).clear()
            gc.collect()  # so that warnings about unclosed resources are raised in this test

    def python(self, example: Example) -> None:
        # Leading empty lines make tracebacks show the line in the document.
        source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, self.path, "exec", flags=flags, dont_inherit=True)
        block = FunctionType(code, vars(self.module))
        if code.co_flags & inspect.CO_COROUTINE:
            self.loop.run(with_timeout(block(), f"{self.path.name}:{example.line}"))
        else:
            block()
        self.executed.append(example.line)

    def shell(self, example: Example) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        result = subprocess.run(
            ["sh", "-euc", example.parsed],
            cwd=self.folder,
            env={k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))}
            | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_PER_BLOCK,
            check=False,
        )
        place = f"{self.path.name}:{example.line}"
        assert result.returncode == 0, f"{place} exited with {result.returncode}\n{result.stdout}"
        self.executed.append(example.line)


async def with_timeout(block: Any, place: str) -> None:
    try:
        async with asyncio.timeout(SECONDS_PER_BLOCK):
            await block
    except TimeoutError as error:
        error.add_note(f"in the block at {place}")
        raise
