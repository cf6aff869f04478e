"""The library."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient
from sqlalchemy import inspect, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from app.core.models import utc_now
from app.library import (
    MODELS,
    Book,
    Child,
    Copy,
    Country,
    Genre,
    Librarian,
    Loan,
    Reader,
    Sample,
)

SORTS = [
    *(("books", name) for name in ("number", "title", "genre", "price", "printed_on")),
    *(("books", name) for name in ("bought_at", "is_lent", "first_page")),
    *(("books", name) for name in ("opens_at", "lasts")),
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
            opens_at=time(9, 30, 0, n // 2),
            lasts=timedelta(microseconds=n // 2 - 1),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", -(2**31)),
        ("large", 2**63 - 1),
        ("ratio", 0.1 + 0.2),
        ("ratio", 5e-324),
        ("double", 1e300),
        ("flag", True),
        ("flag", False),
        ("name", " é😀 \\'\"%s "),
        ("text", "é😀\n" * 1000),
        ("content", bytes(range(256))),
        ("content", b""),
        ("picture", b"\xff'\\%s"),
        ("price", Decimal("9.99")),
        ("price", Decimal("-1234567890.01")),
        ("weight", Decimal("0.001")),
        ("day", date.min),
        ("other_day", date.max),
        ("opens_at", time(1, 2, 3, 456789)),
        ("opens_at", time.max),
        ("seen_at", datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)),
        ("lasts", timedelta(seconds=1.5)),
        ("lasts", timedelta(seconds=-1.5)),
        ("lasts", timedelta(days=40, hours=25, microseconds=7)),
        ("key", UUID(int=2**128 - 1)),
        ("genre", Genre.POEM),
        ("hand", "right"),
        ("details", {"é😀": [1, None, 0.1]}),
    ],
)
async def test_value_is_read_back_as_it_was_written(
    session: AsyncSession, name: str, value: Any
) -> None:
    session.add(Sample(**{name: value}))
    await session.commit()
    column = getattr(Sample, name)
    found = await session.scalar(select(column))
    assert found == value
    assert isinstance(found, type(value))
    if name not in {"details", "ratio", "double"}:
        assert await session.scalar(select(column).where(column == value)) == value


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


@pytest.fixture
async def readers(session: AsyncSession) -> list[Reader]:
    """Loaded readers of each kind, of whom the first has two loans."""
    readers = [Reader(name="Ada"), Child(name="Blaise"), Librarian(name="Carl", desk="A")]
    session.add_all(readers)
    await session.flush()
    session.add_all([Loan(reader=readers[0].number, place=place) for place in (1, 2)])
    await session.commit()
    return readers


async def versions(session: AsyncSession, model: type[Reader | Loan] = Reader) -> list[int]:
    """Return the versions that are stored, in the order of the keys."""
    columns = inspect(model).local_table.columns
    key = inspect(model).primary_key
    return list(await session.scalars(select(columns.version).order_by(*key)))


@pytest.mark.parametrize(("model", "counted"), [(Reader, [2, 2, 2]), (Child, [1, 2, 1])])
async def test_update_statement_counts_the_rows_that_it_changes(
    session: AsyncSession, readers: list[Reader], model: type[Reader], counted: list[int]
) -> None:
    await session.execute(update(model).values(name="Grace"))
    assert await versions(session) == counted
    assert [reader.version for reader in readers] == counted
    for reader in readers:
        reader.name = "Emmy"
    await session.flush()
    assert await versions(session) == [version + 1 for version in counted]


async def test_update_statement_that_returns_objects_counts(
    session: AsyncSession, readers: list[Reader]
) -> None:
    if not session.get_bind().dialect.update_returning:
        return
    statement = update(Reader).where(Reader.name == "Ada").values(name="Grace").returning(Reader)
    assert (await session.scalars(statement)).one().version == 2
    session.expunge_all()
    again = update(Reader).where(Reader.name == "Grace").values(name="Emmy").returning(Reader)
    reader = (await session.scalars(select(Reader).from_statement(again))).one()
    assert (reader.name, reader.version) == ("Emmy", 3)


async def test_update_statement_that_reads_another_counted_table_counts(
    session: AsyncSession, readers: list[Reader]
) -> None:
    statement = update(Loan).where(Loan.reader == Reader.number, Reader.name == "Ada")
    statement = statement.values(is_back=True).execution_options(synchronize_session=False)
    await session.execute(statement)
    assert await versions(session, Loan) == [2, 2]
    assert await versions(session) == [1, 1, 1]


async def test_list_of_rows_with_any_key_is_checked_and_counted(
    session: AsyncSession, readers: list[Reader]
) -> None:
    rows = [
        {"reader": readers[0].number, "place": place, "version": 1, "is_back": True}
        for place in (1, 2)
    ]
    await session.execute(update(Loan), rows)
    assert await versions(session, Loan) == [2, 2]
    with pytest.raises(StaleDataError):
        await session.execute(update(Loan), rows)


async def test_change_in_the_table_of_a_subclass_counts_or_is_refused(
    session: AsyncSession, readers: list[Reader]
) -> None:
    librarian = readers[2]
    with pytest.raises(TypeError, match="change loaded objects instead"):
        await session.execute(update(Librarian).values(desk="B"))
    librarian.desk = "B"
    await session.flush()
    assert await versions(session) == [1, 1, 2]
    row = {"number": librarian.number, "desk": "C", "version": 2}
    await session.execute(update(Librarian), [row])
    assert await versions(session) == [1, 1, 3]
    assert librarian.version == 3


async def test_upsert_counts_or_is_refused(session: AsyncSession, readers: list[Reader]) -> None:
    values = {"number": readers[0].number, "kind": "adult", "name": "Grace"}

    def upsert(**changes: Any) -> Any:
        name = session.get_bind().dialect.name
        if name in {"mysql", "mariadb"}:
            return mysql.insert(Reader).values(values).on_duplicate_key_update(**changes)
        dialect: Any = postgresql if name == "postgresql" else sqlite
        insert = dialect.insert(Reader).values(values)
        return insert.on_conflict_do_update(index_elements=["number"], set_=changes)

    with pytest.raises(TypeError, match=r"has to set version to Reader\.version \+ 1"):
        await session.execute(upsert(name="Grace"))
    await session.execute(upsert(name="Grace", version=Reader.version + 1))
    assert await versions(session) == [2, 1, 1]
