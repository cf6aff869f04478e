"""`ETag` and `If-Match`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI, Response
from httpx2 import ASGITransport, AsyncClient

from app.core.errors import add_error_handlers
from app.core.preconditions import IfMatch, set_etag


@dataclass
class Row:
    version: int


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A client of an application with one row, whose version is 3."""
    app = FastAPI()
    add_error_handlers(app)

    @app.put("/row")
    async def change(if_match: IfMatch, response: Response) -> None:
        row = Row(3)
        if_match.check(row)
        set_etag(response, row)

    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_without_if_match_any_version_is_changed(client: AsyncClient) -> None:
    response = await client.put("/row")
    assert (response.status_code, response.headers["ETag"]) == (200, '"3"')


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ('"3"', 200),
        ("*", 200),
        ('"1", "3"', 200),
        ('"1","3"', 200),
        ('"2"', 412),
        ('"33"', 412),
        ('"1", "2"', 412),
        ('W/"3"', 412),  # a weak tag may stand for several versions
        ('"', 422),
        ("3", 422),
        ('"3" "4"', 422),
        ("", 422),
        ('"' + "3" * 1000 + '"', 422),
    ],
)
async def test_if_match_decides_whether_the_version_is_changed(
    client: AsyncClient, tags: str, status: int
) -> None:
    response = await client.put("/row", headers={"If-Match": tags})
    assert response.status_code == status


async def test_malformed_if_match_is_rejected_without_a_regular_expression(
    client: AsyncClient,
) -> None:
    response = await client.put("/row", headers={"If-Match": "3"})
    [error] = response.json()["errors"]
    assert error["msg"] == 'must be "*", or entity tags in double quotes'
