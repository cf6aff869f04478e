"""All structures and drivers have the same OpenAPI document, with each kind of authentication."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest

from harness.parts import nightly
from harness.variants import DRIVERS, EXAMPLES, STRUCTURES, Variant

# Each kind of accounts, with all that it can have.
WITH_JWT = Variant(
    "aiosqlite", auth="jwt", api_keys=True, mail="smtp", rate_limits=True, jobs="database"
)
WITH_SESSION = replace(WITH_JWT, auth="session")
WITH_OIDC = Variant("aiosqlite", auth="oidc", api_keys=True, rate_limits=True, jobs="database")
LARGEST = [WITH_JWT, nightly(WITH_SESSION), nightly(WITH_OIDC)]
KINDS = [
    nightly(Variant("aiosqlite", jobs="database")),
    Variant("aiosqlite", auth="jwt", jobs="database"),
    nightly(WITH_JWT),
    nightly(Variant("aiosqlite", auth="session")),
    nightly(WITH_SESSION),
    nightly(Variant("aiosqlite", auth="oidc")),
    nightly(WITH_OIDC),
]
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)

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


@pytest.fixture(scope="module", params=LARGEST, ids=str)
def document(rendered: Callable[[Variant], Path], request: pytest.FixtureRequest) -> dict[str, Any]:
    """The document with every example and a kind of accounts."""
    [document] = documents_of(rendered, [replace(request.param, examples=EXAMPLES)])
    return document


@of_each_kind
def test_every_structure_and_driver_has_the_same_document(
    rendered: Callable[[Variant], Path], kind: Variant
) -> None:
    variants = [
        replace(kind, driver=driver, structure=structure, examples=EXAMPLES)
        for driver, structure in (
            *product(["aiosqlite"], STRUCTURES),
            *zip(DRIVERS[1:], cycle(STRUCTURES)),
        )
    ]
    reference, *others = documents_of(rendered, variants)
    for variant, document in zip(variants[1:], others, strict=True):
        assert document == reference, f"{variant} differs"


@of_each_kind
def test_each_example_adds_paths_and_changes_no_others(
    rendered: Callable[[Variant], Path], kind: Variant
) -> None:
    chosen = [EXAMPLES, (), *((example,) for example in EXAMPLES)]
    variants = [replace(kind, examples=examples) for examples in chosen]
    together, none, *alone = (each["paths"] for each in documents_of(rendered, variants))
    apart = dict(none)
    for paths in alone:
        assert len(paths) > len(none)
        apart |= paths
    assert apart == together


def test_operations_have_short_unique_names(document: dict[str, Any]) -> None:
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    assert all(name.islower() and len(name) < 25 for name in names)


def test_schemas_have_names_that_generated_clients_can_use(document: dict[str, Any]) -> None:
    """As names of their types: `ProjectPage`, not `PageRead_ProjectRead_`."""
    names = set(document["components"]["schemas"])
    assert {"ProjectRead", "ProjectPage", "TaskPage", "MeasurementPage", "AnswerPage"} <= names
    # FastAPI itself has names with underscores, such as `Body_login`.
    named_by_us = {name for name in names if not name.startswith("Body_")}
    assert [name for name in named_by_us if not name.isalnum()] == []


def test_no_read_returns_a_list_of_any_length(document: dict[str, Any]) -> None:
    reads = {
        path: operations["get"]
        for path, operations in document["paths"].items()
        if "get" in operations
    }
    assert len(reads) > 10
    assert [path for path, read in reads.items() if returns_any_length(read, document)] == []


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
    parameters = [{"name": "limit", "schema": {"maximum": 100}}]
    read = {"parameters": parameters, "responses": {"200": schema}}
    assert returns_any_length(read, document) is expected


@pytest.mark.parametrize("parameters", [[], [{"name": "limit", "schema": {"type": "integer"}}]])
def test_page_without_a_maximum_limit_is_a_list_of_any_length(
    parameters: list[dict[str, Any]],
) -> None:
    page = {"properties": {"items": {"type": "array", "items": {}}, "next_cursor": {}}}
    assert returns_any_length({"parameters": parameters, "responses": {"200": page}}, {})


def returns_any_length(read: dict[str, Any], document: dict[str, Any]) -> bool:
    """Return whether a response of this operation may contain a list that nothing limits."""
    pages_are_limited = any(
        parameter["name"] == "limit" and "maximum" in parameter["schema"]
        for parameter in read.get("parameters", [])
    )
    return is_unbounded(read["responses"]["200"], document, pages_are_limited)


def is_unbounded(
    schema: Any,
    document: dict[str, Any],
    pages_are_limited: bool,
    seen: frozenset[str] = frozenset(),
) -> bool:
    """Return whether a value of this schema may contain a list that nothing limits."""

    def unbounded(part: Any, seen: frozenset[str] = seen) -> bool:
        return is_unbounded(part, document, pages_are_limited, seen)

    if isinstance(schema, list):
        return any(map(unbounded, schema))
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        referenced = document["components"]["schemas"][name]
        return name not in seen and unbounded(referenced, seen | {name})
    is_page = schema.get("properties", {}).keys() == {"items", "next_cursor"}
    if is_page and pages_are_limited:
        return unbounded(schema["properties"]["items"]["items"])
    if schema.get("type") == "array" and "maxItems" not in schema:
        return True
    return any(map(unbounded, schema.values()))


def documents_of(
    rendered: Callable[[Variant], Path], variants: Sequence[Variant]
) -> list[dict[str, Any]]:
    command = [sys.executable, "-c", PROGRAM, *(str(rendered(variant)) for variant in variants)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
