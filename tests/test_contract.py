"""All structures and drivers with the same auth have the same OpenAPI document."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest

from harness.parts import nightly
from harness.variants import DRIVERS, EXAMPLES, STRUCTURES, Variant

# Prints the documents of services in folders, each in a process that has imported the libraries.
PROGRAM = """
import json, os, sys
import alembic, fastapi, pydantic_settings, sqlalchemy.ext.asyncio, stamina, uvicorn

for folder in sys.argv[1:]:
    if os.fork() == 0:
        os.chdir(folder)
        sys.path.insert(0, "")
        from app.main import app
        print(json.dumps(app.openapi()), flush=True)
        os._exit(0)
    _, status = os.wait()
    if status:
        sys.exit(f"{folder} has no document")
"""


@pytest.mark.parametrize("auth", [nightly("none"), "jwt"])
def test_every_structure_and_driver_has_the_same_document(
    rendered: Callable[[Variant], Path], auth: str
) -> None:
    variants = [
        Variant(driver, structure, auth, EXAMPLES)
        for driver, structure in (
            *product(["aiosqlite"], STRUCTURES),
            *zip(DRIVERS[1:], cycle(STRUCTURES)),
        )
    ]
    reference, *others = documents_of(rendered, variants)
    for variant, document in zip(variants[1:], others, strict=True):
        assert document == reference, f"{variant} differs"


@pytest.mark.parametrize("auth", [nightly("none"), "jwt"])
def test_each_example_adds_paths_and_changes_no_others(
    rendered: Callable[[Variant], Path], auth: str
) -> None:
    chosen = [EXAMPLES, (), *((example,) for example in EXAMPLES)]
    variants = [Variant("aiosqlite", "flat", auth, examples) for examples in chosen]
    together, none, *alone = (each["paths"] for each in documents_of(rendered, variants))
    apart = dict(none)
    for paths in alone:
        assert len(paths) > len(none)
        apart |= paths
    assert apart == together


def test_operations_have_short_unique_names(rendered: Callable[[Variant], Path]) -> None:
    [document] = documents_of(rendered, [Variant("aiosqlite", "flat", "jwt", EXAMPLES)])
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    assert all(name.islower() and len(name) < 25 for name in names)


def test_no_read_returns_a_list_of_any_length(rendered: Callable[[Variant], Path]) -> None:
    [document] = documents_of(rendered, [Variant("aiosqlite", "flat", "jwt", EXAMPLES)])
    reads = {
        path: operations["get"]["responses"]["200"]
        for path, operations in document["paths"].items()
        if "get" in operations
    }
    assert len(reads) > 10
    assert [path for path, read in reads.items() if is_unbounded(read, document)] == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, False),
        ({"type": "array", "items": {}}, True),
        ({"type": "array", "items": {}, "maxItems": 2}, False),
        ({"type": "array", "items": {"type": "array", "items": {}}, "maxItems": 2}, True),
        ({"type": "object", "properties": {"names": {"$ref": "#/components/schemas/Names"}}}, True),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Names"}]}, True),
        ({"$ref": "#/components/schemas/Tree"}, False),
        ({"$ref": "#/components/schemas/Page"}, False),
    ],
)
def test_list_of_any_length_is_found(schema: dict[str, Any], expected: bool) -> None:
    names = {"type": "array", "items": {"type": "string"}}
    tree = {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "maxItems": 2}
    page = {"properties": {"items": names, "next_cursor": {}}}
    document = {"components": {"schemas": {"Names": names, "Tree": tree, "Page": page}}}
    assert is_unbounded(schema, document) is expected


def is_unbounded(schema: Any, document: dict[str, Any], seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a value of this schema may contain a list that nothing limits.

    The parameter `limit` limits the items of a page.
    """
    if isinstance(schema, list):
        return any(is_unbounded(each, document, seen) for each in schema)
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        referenced = document["components"]["schemas"][name]
        return name not in seen and is_unbounded(referenced, document, seen | {name})
    if schema.get("properties", {}).keys() == {"items", "next_cursor"}:
        return is_unbounded(schema["properties"]["items"]["items"], document, seen)
    if schema.get("type") == "array" and "maxItems" not in schema:
        return True
    return any(is_unbounded(each, document, seen) for each in schema.values())


def documents_of(
    rendered: Callable[[Variant], Path], variants: Sequence[Variant]
) -> list[dict[str, Any]]:
    command = [sys.executable, "-c", PROGRAM, *(str(rendered(variant)) for variant in variants)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
