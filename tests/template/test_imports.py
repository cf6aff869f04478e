"""Imports are sorted, grouped and wrapped as ruff does it."""

import ast
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.template.modules import environment, imports_of, problems, rewrite

# Cases in which sorting text differs from sorting as ruff does, and names of each section.
MODULES = [
    *("asyncio", "collections.abc", "json", "os.path", "typing", "xml.etree.ElementTree", "zlib"),
    *("sqlalchemy", "sqlalchemy.exc", "sqlalchemy_utils", "SQLAlchemy.more", "never_heard_of"),
    *("uuid7", "uuid10", "uuid10.a2", "uuid10.a10", "A.b", "a_b", "ab", "_private"),
    *("app", "app.core.models", "app.core10", "app.core9", "app_store", "tests.core", "migrations"),
]
NAMES = [
    *("Base", "BASE", "base", "B", "b", "_Base", "_base", "BaseModel", "BASE_2", "Base10", "Base9"),
    *("base10", "base9", "base_9", "baSe", "T", "t", "A1", "a1", "A10", "__version__", "x"),
    "a_name_that_is_long_enough_to_make_some_of_the_lines_longer_than_those_hundred_columns",
    "ANOTHER_ONE_OF_" + "X" * 40,
]
ALIAS = st.one_of(st.none(), st.sampled_from(NAMES))
FROM = st.builds(
    lambda module, members: (module, tuple(members)),
    st.sampled_from(MODULES),
    st.lists(st.tuples(st.sampled_from(NAMES), ALIAS), min_size=1, max_size=8, unique=True),
)
PLAIN = st.builds(
    lambda module, alias: (module, alias), st.sampled_from(MODULES), st.sampled_from(["x", None])
)
BLOCKS = st.lists(st.one_of(FROM, PLAIN), min_size=1, max_size=8)


def alias_of(name: str, alias: str | None) -> str:
    return f"{name} as {alias}" if alias else name


def statement(block: tuple[str, Any], parenthesized: bool) -> str:
    module, what = block
    if not isinstance(what, tuple):
        return f"import {alias_of(module, what)}\n"
    names = [alias_of(*member) for member in what]
    if parenthesized:
        return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"
    return f"from {module} import {', '.join(names)}\n"


def imported(code: str) -> set[tuple[str | None, str, str]]:
    """What is imported by which name; `X as X` is X, and exported."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            found |= {(module, alias.name, alias.asname or alias.name) for alias in node.names}
    return found


# The same examples in every run: a failure must not depend on chance.
@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(blocks=BLOCKS, parenthesized=st.booleans(), for_types=st.booleans(), data=st.data())
def test_any_imports_are_kept_and_in_the_order_of_ruff(
    blocks: list[tuple[str, Any]], parenthesized: bool, for_types: bool, data: st.DataObject
) -> None:
    statements = [statement(block, parenthesized) for block in blocks]
    names = {name.split(".")[0] for _, _, name in imported("".join(statements))}
    body = "\nUSED = [\n" + "".join(f"    {name},\n" for name in sorted(names)) + "]\n"
    if for_types:
        indented = "".join(statements).replace("\n", "\n    ").rstrip(" ")
        text = f"if TYPE_CHECKING:\n    {indented}{body}"
    else:
        text = "".join(statements) + body
    written = rewrite(text)
    assert problems(written, "I") == "", written
    kept = imported(written) - {("typing", "TYPE_CHECKING", "TYPE_CHECKING")}
    assert kept == imported("".join(statements))
    if not for_types:
        shuffled = data.draw(st.permutations(statements))
        assert rewrite("".join(shuffled) + body) == written


@pytest.mark.parametrize("indent", ["", "    "], ids=["runtime", "type checking"])
@pytest.mark.parametrize("alias", ["", " as T"], ids=["plain", "renamed"])
@pytest.mark.parametrize("width", [99, 100, 101])
def test_statements_wrap_after_100_columns(width: int, alias: str, indent: str) -> None:
    start = f"{indent}from app.planets import "
    name = "T" + "e" * (width - len(start + alias) - 1)
    text = f"{'if TYPE_CHECKING:' if indent else ''}\n{start}{name}{alias}\n\nuse({name}, T)\n"
    written = rewrite(text)
    assert problems(written, "I") == ""
    if width <= 100:
        assert f"\n{start}{name}{alias}\n" in written
        assert len(f"{start}{name}{alias}") == width
    else:
        assert f"\n{start}(\n{indent}    {name}{alias},\n{indent})\n" in written


def test_plain_import_and_names_of_the_same_module_are_both_kept() -> None:
    text = "from asyncio import sleep\nimport asyncio\n\nasyncio.run(sleep(1))\n"
    assert imports_of(rewrite(text))[:2] == ["import asyncio", "from asyncio import sleep"]


def test_plain_typing_stays_beside_the_names_that_type_checking_needs() -> None:
    text = (
        "import typing\nif TYPE_CHECKING:\n    from app.planets import Planet\n\n"
        'planet: "typing.Optional[Planet]" = None\nprint(TYPE_CHECKING)\n'
    )
    lines = imports_of(rewrite("from typing import TYPE_CHECKING\n" + text))
    assert lines[:2] == ["import typing", "from typing import TYPE_CHECKING"]


def test_future_imports_are_first_and_always_kept() -> None:
    text = "import json\n\nfrom __future__ import annotations\n\njson.dumps(1)\n"
    written = rewrite(text)
    assert imports_of(written)[:3] == ["from __future__ import annotations", "", "import json"]
    assert problems(written, "I", "F") == ""


def test_package_that_the_template_does_not_know_is_third_party() -> None:
    text = (
        "import zlib\nimport never_heard_of\nfrom app import x\n\nprint(zlib, never_heard_of, x)\n"
    )
    lines = imports_of(rewrite(text))
    assert lines[:5] == ["import zlib", "", "import never_heard_of", "", "from app import x"]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the list is that of the oldest Python")
def test_standard_library_is_complete() -> None:
    known = environment().get_template("includes/imports.jinja").module.standard_library  # type: ignore[attr-defined]
    assert known == sorted(name for name in sys.stdlib_module_names if not name.startswith("_"))


@pytest.mark.parametrize(
    "code",
    [
        "class Planet:\n    name = json\n",
        "# A planet.\n# Or a moon.\nclass Planet:\n    name = json\n",
        "@json\ndef land() -> None: ...\n",
        "async def land() -> None:\n    json()\n",
        "# A constant.\nPLANETS = json\n",
        "PLANETS = json\n",
        "# Your own go below this line.\n\n\ndef land() -> None:\n    json()\n",
    ],
)
@pytest.mark.parametrize("start", ["import json\n", ""], ids=["imports", "no imports"])
def test_blank_lines_after_the_imports_are_those_of_ruff(code: str, start: str) -> None:
    assert problems(rewrite(f"{start}\n{code}"), "I") == ""
