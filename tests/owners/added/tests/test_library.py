"""The library."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from app.core.models import utc_now
from app.library import MODELS, Book, Child, Copy, Country, Genre, Reader

SORTS = [
    *(("books", name) for name in ("number", "title", "genre", "price", "printed_on")),
    *(("books", name) for name in ("bought_at", "is_lent", "first_page")),
    *(("countries", name) for name in ("code", "name")),
    *(("copies", name) for name in ("book", "copy", "shelf", "place")),
]


@pytest.fixture
async def rows(session: AsyncSession) -> dict[str, list[Any]]:
    now = utc_now()
    books = [
        Book(
            title=f"Title {n // 2}",
            genre=list(Genre)[n % 2],
            price=Decimal(n // 3) + Decimal("0.99"),
            printed_on=date(2030, 1, 1 + n // 2),
            bought_at=now + timedelta(microseconds=n // 2),
            is_lent=n % 3 == 0,
            first_page=1 + n // 4,
            last_page=100,
        )
        for n in range(7)
    ]
    session.add_all(books)
    await session.flush()
    countries = [
        Country(code=code, name=f"Name {code[0]}") for code in ("AA", "AB", "BA", "BB", "CA")
    ]
    copies = [
        Copy(book=book.number, copy=n, shelf="AB"[n % 2], place=10 * book.number + n)
        for book in books[:3]
        for n in range(3)
    ]
    session.add_all([*countries, *copies])
    await session.commit()
    return {"books": books, "countries": countries, "copies": copies}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("table", "name"), SORTS)
async def test_pages_of_any_key_have_each_row_once_and_in_order(
    client: AsyncClient, rows: dict[str, list[Any]], table: str, name: str, descending: bool
) -> None:
    params = {"sort": f"-{name}" if descending else name, "limit": "2"}
    found: list[Any] = []
    while True:
        response = await client.get(f"/api/v1/library/{table}", params=params)
        assert response.status_code == 200, response.text
        found += response.json()["items"]
        if response.json()["next_cursor"] is None:
            break
        params["cursor"] = response.json()["next_cursor"]
    keys = [column.key for column in MODELS[table].__mapper__.primary_key]

    def order(row: Any) -> list[Any]:
        return [getattr(row, each) for each in (name, *keys)]

    expected = sorted(rows[table], key=order, reverse=descending)
    assert found == [[str(getattr(row, key)) for key in keys] for row in expected]


@pytest.mark.parametrize(("first_page", "last_page"), [(2, 1), (0, 1)])
async def test_row_that_a_condition_refuses_is_a_problem(
    client: AsyncClient, first_page: int, last_page: int
) -> None:
    params = {"first_page": first_page, "last_page": last_page}
    response = await client.post("/api/v1/library/books", params=params)
    assert (response.status_code, response.json()["code"]) == (422, "check")
    assert response.json()["errors"] == []


@pytest.mark.parametrize("model", [Reader, Child])
async def test_stale_update_is_rejected(session: AsyncSession, model: type[Reader]) -> None:
    reader = model(name="Ada")
    session.add(reader)
    await session.commit()
    assert reader.version == 1
    elsewhere = update(Reader.__table__).values(version=2)
    await session.execute(elsewhere)
    reader.name = "Grace"
    with pytest.raises(StaleDataError):
        await session.flush()
