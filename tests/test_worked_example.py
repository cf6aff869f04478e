"""The worked example in the README of a service results in a working endpoint."""

import ast
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.parts import nightly
from harness.variants import Variant

BLOCK = re.compile(r"^(?:In )?`(\S+)`[^\n]*:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN_CODE = re.compile(r"^# Your own \w+ go below this line: .*\n", re.MULTILINE)
OWN_ROUTERS = "    # Your own go below this line.\n"


def add(path: Path, code: str) -> None:
    """Write a module, or add code to one: imports at the top, the rest below the comment."""
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
        return
    text = path.read_text()
    nodes = ast.parse(code).body
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = code.splitlines(keepends=True)
    if len(imports) < len(nodes):
        docstring = "".join(text.splitlines(keepends=True)[: ast.parse(text).body[0].end_lineno])
        head = "".join(lines[: imports[-1].end_lineno])
        text = text.replace(docstring, f"{docstring}\n{head}")
        lines = lines[imports[-1].end_lineno :]
    [comment] = OWN_CODE.findall(text)
    path.write_text(text.replace(comment, f"{comment}{''.join(lines)}"))


@pytest.mark.parametrize(
    "followed",
    [
        nightly(Variant("aiosqlite", "flat")),
        nightly(Variant("aiosqlite", "flat", "jwt", ())),
        Variant("aiosqlite", "layered", "jwt"),
        nightly(Variant("aiosqlite", "by_feature")),
        nightly(Variant("aiosqlite", "by_feature", "jwt", ())),
        nightly(Variant("aiosqlite", "flat", "session", ())),
    ],
    ids=str,
)
def test_endpoint_of_the_readme_works(
    rendered: Callable[[Variant], Path], followed: Variant, tmp_path: Path
) -> None:
    service = shutil.copytree(rendered(followed), tmp_path / "service")

    def run(*command: str) -> None:
        variables = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/example.db"}
        succeed(sys.executable, "-m", *command, cwd=service, env=variables)

    for name, code in BLOCK.findall((service / "README.md").read_text()):
        add(service / name, code)
    api = service / ("app/api/__init__.py" if followed.structure == "layered" else "app/api.py")
    assert OWN_ROUTERS in api.read_text()
    api.write_text(api.read_text().replace(OWN_ROUTERS, f"{OWN_ROUTERS}    labels_router,\n"))
    # In flat files, imports are merged and sorted by the service's own linter.
    run("ruff", "check", "--no-cache", "--quiet", "--fix", "--select", "I,F811", ".")
    run(
        "ruff",
        "format",
        "--no-cache",
        "--quiet",
        *(["."] if followed.structure == "flat" else ["--check", "."]),
    )
    run("ruff", "check", "--no-cache", "--quiet", ".")
    run("alembic", "upgrade", "head")
    run("alembic", "revision", "--autogenerate", "-m", "add labels")
    run("pytest", "-q", "-n", "0", "tests/test_labels.py", "tests/core/test_migrations.py")
