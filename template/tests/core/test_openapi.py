"""The OpenAPI document."""

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient

from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of


async def test_document_and_its_page_are_served_if_enabled(client: AsyncClient) -> None:
    assert (await client.get("/openapi.json")).status_code == 200
    assert (await client.get("/docs")).status_code == 200


async def test_document_and_probes_are_served_below_a_path_prefix(app: FastAPI) -> None:
    transport = ASGITransport(app, root_path="/stock")
    async with AsyncClient(transport=transport, base_url="http://test/stock") as client:
        assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/stock"}]
        assert "'/stock/openapi.json'" in (await client.get("/docs")).text
        unknown = {"Host": "10.0.0.5"}
        assert (await client.get("/health/live", headers=unknown)).status_code == 200
        assert (await client.get("/openapi.json", headers=unknown)).status_code == 421


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
    found = [
        f"{status} of {method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
        if status[0] in "45" and list(response.get("content", [])) != ["application/problem+json"]
    ]
    assert found == [], "write `responses=problems(404, …)`, with `problems` of app.core.errors"
