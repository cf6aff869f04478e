"""Keyset pagination."""

from typing import Any, Generic, TypeVar

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.pagination import PageParams, PageRead, fetch_page, name_pages
from app.database import Database
from tests.core.support import recorded_statements
from tests.core.things import Thing, ThingRead

T = TypeVar("T")
U = TypeVar("U")

SORTS = ["name", "-name", "size", "-size", "seen_at", "-seen_at"]


@pytest.fixture
async def things(session: AsyncSession) -> list[Thing]:
    """Seven things; some have the same size."""
    things = [Thing(name=f"Thing {number}", size=1 + number % 3) for number in range(7)]
    session.add_all(things)
    await session.commit()
    return things


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_pages_have_each_row_once_and_in_order(
    client: AsyncClient, things: list[Thing], sort: str, limit: int
) -> None:
    names: list[str] = []
    params: dict[str, str] = {"sort": sort, "limit": str(limit)}
    while True:
        page = (await client.get("/things", params=params)).json()
        assert len(page["items"]) <= limit
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    name = sort.removeprefix("-")
    expected = sorted(
        things,
        key=lambda thing: (getattr(thing, name), thing.id),
        reverse=sort.startswith("-"),
    )
    assert names == [thing.name for thing in expected]


async def test_new_row_does_not_shift_the_next_page(
    client: AsyncClient, session: AsyncSession, things: list[Thing]
) -> None:
    page = (await client.get("/things", params={"limit": "3"})).json()
    session.add(Thing(name="A new one before all others"))
    await session.commit()
    params = {"limit": "3", "cursor": page["next_cursor"]}
    following = (await client.get("/things", params=params)).json()
    assert [item["name"] for item in following["items"]] == ["Thing 3", "Thing 4", "Thing 5"]


async def test_page_is_read_by_one_statement(
    client: AsyncClient, database: Database, things: list[Thing]
) -> None:
    with recorded_statements(database) as statements:
        await client.get("/things", params={"limit": "3"})
    assert sum(statement.startswith("SELECT") for statement in statements) == 1


@pytest.mark.parametrize("cursor", ["", "x", "ü", "AAAA", "e30", "bnVsbA", "WzFd", "WyIiLCIiXQ"])
async def test_damaged_cursor_is_rejected(client: AsyncClient, cursor: str) -> None:
    response = await client.get("/things", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("sort", ["size", "-name"])
async def test_cursor_of_another_sort_is_rejected(
    client: AsyncClient, things: list[Thing], sort: str
) -> None:
    page = (await client.get("/things", params={"limit": "1", "sort": "name"})).json()
    params = {"sort": sort, "cursor": page["next_cursor"]}
    response = await client.get("/things", params=params)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "1.0"},
        {"limit": "1_0"},
        {"limit": " 1"},
        {"limit": "+1"},
        {"limit": "true"},
        {"limit": "9" * 5000},
        {"sort": "id"},
        {"page": "2"},
    ],
)
async def test_invalid_query_parameter_is_rejected(
    client: AsyncClient, params: dict[str, str]
) -> None:
    response = await client.get("/things", params=params)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_every_parameter_is_described(app: FastAPI) -> None:
    parameters = app.openapi()["paths"]["/things"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"limit", "cursor", "sort"}
    assert all("description" in parameter for parameter in parameters)


async def test_column_that_may_be_null_is_no_sort(session: AsyncSession) -> None:
    with pytest.raises(TypeError, match=r"sorted by Thing\.gone_at would lose the rows"):
        await fetch_page(session, select(Thing), Thing, PageParams(sort="gone_at"))


class Counts(BaseModel):
    total: int


class CountsPage(BaseModel):
    pass


class CountedPageRead(PageRead[T], Generic[T, U]):
    counts: U


def test_schema_of_a_page_is_named_after_its_items(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    assert "ThingPage" in schemas
    assert "PageRead_ThingRead_" not in schemas


def test_page_of_a_union_or_with_the_name_of_another_class_keeps_its_name() -> None:
    app = FastAPI()
    responses: list[Any] = [
        CountedPageRead[ThingRead, Counts],
        PageRead[ThingRead | Counts],
        PageRead[Counts],
        CountsPage,
    ]
    for number, response in enumerate(responses):
        app.get(f"/{number}", response_model=response)(lambda: None)
    document = name_pages(app.openapi())
    used = [
        path["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path in document["paths"].values()
    ]
    names = [reference.rpartition("/")[2] for reference in used]
    assert names == [
        "ThingCountsCountedPage",
        "PageRead_Union_ThingRead__Counts__",
        "PageRead_Counts_",
        "CountsPage",
    ]
    assert set(names) <= set(document["components"]["schemas"])
