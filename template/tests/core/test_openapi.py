"""The OpenAPI document."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import AsyncClient
from pydantic import BaseModel, Field

from app.core.pagination import PageRead
from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of


class Tree(BaseModel):
    children: list["Tree"] = Field(max_length=2)


async def test_document_and_its_page_are_served_if_enabled(client: AsyncClient) -> None:
    assert (await client.get("/openapi.json")).status_code == 200
    assert (await client.get("/docs")).status_code == 200


async def test_document_is_not_served_if_disabled(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"docs": False}))
    async with client_of(app) as client:
        assert (await client.get("/openapi.json")).status_code == 404
        assert (await client.get("/docs")).status_code == 404


def test_router_in_the_list_is_served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()

    @router.get("/things")
    async def list_things() -> list[str]:
        return []

    monkeypatch.setattr("app.factory.routers", [router])
    paths = create_app(settings).openapi()["paths"]
    assert [path for path in paths if path.endswith("/things")]


def test_every_error_response_is_documented_as_a_problem(app: FastAPI) -> None:
    document = app.openapi()
    assert {"Problem", "FieldProblem"} <= set(document["components"]["schemas"])
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_every_list_in_a_response_is_a_page_or_bounded(app: FastAPI) -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]
    found = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
        if int(status) < 300 and is_unbounded(response, schemas)
    ]
    assert found == [], "return a page (`fetch_page`), or declare the list's `max_length`"


@pytest.mark.parametrize(
    ("response", "unbounded"),
    [
        (str, False),
        (list[str], True),
        (dict[str, list[str]], True),
        (Annotated[list[str], Field(max_length=2)], False),
        (Annotated[list[list[str]], Field(max_length=2)], True),
        (tuple[str, str], False),
        (PageRead[str], False),
        (PageRead[list[str]], True),
        (Tree, False),
    ],
)
def test_unbounded_list_is_found(response: Any, unbounded: bool) -> None:
    app = FastAPI()

    @app.get("/", response_model=response)
    async def read() -> None: ...

    document = app.openapi()
    [operation] = document["paths"]["/"].values()
    schemas = document.get("components", {}).get("schemas", {})
    assert is_unbounded(operation["responses"], schemas) is unbounded


def is_unbounded(schema: Any, schemas: dict[str, Any], seen: frozenset[str] = frozenset()) -> bool:
    """Return whether a value of this schema may contain a list of any length.

    The parameter `limit` bounds the items of a page.
    """
    if isinstance(schema, list):
        return any(is_unbounded(each, schemas, seen) for each in schema)
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name not in seen and is_unbounded(schemas[name], schemas, seen | {name})
    properties = schema.get("properties", {})
    if properties.keys() == {"items", "next_cursor"}:
        return is_unbounded(properties["items"]["items"], schemas, seen)
    if schema.get("type") == "array" and "maxItems" not in schema:
        return True
    return any(is_unbounded(each, schemas, seen) for each in schema.values())
