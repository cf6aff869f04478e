"""Models, endpoints and constraints that are nothing like those of the examples."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import Base, VersionMixin
from app.core.pagination import PageParams, Sort, fetch_page
from app.database import ReadSession, Session


class Genre(StrEnum):
    NOVEL = "novel"
    POEM = "poem"


class Book(Base):
    """An integer that the database generates, and values of many types."""

    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("first_page < last_page", name="order"),
        CheckConstraint("first_page > 0", name="positive"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    genre: Mapped[Genre]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    printed_on: Mapped[date]
    bought_at: Mapped[datetime]
    is_lent: Mapped[bool]
    first_page: Mapped[int]
    last_page: Mapped[int]


class Country(Base):
    """A key of the owner's own."""

    __tablename__ = "countries"

    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class Copy(Base):
    """A key of two columns, one of which is a foreign key."""

    __tablename__ = "copies"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    book: Mapped[int] = mapped_column(ForeignKey("books.number"), primary_key=True)
    copy: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shelf: Mapped[str] = mapped_column(String(10))
    place: Mapped[int]


class Reader(VersionMixin, Base):
    """Counted updates, and two kinds of rows in one table."""

    __tablename__ = "readers"
    __mapper_args__ = {
        "polymorphic_on": "kind",
        "polymorphic_identity": "adult",
        "eager_defaults": True,
    }

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))


class Child(Reader):
    __mapper_args__ = {"polymorphic_identity": "child"}


class Librarian(Reader):
    """A reader with columns in a table of its own."""

    __tablename__ = "librarians"
    __mapper_args__ = {"polymorphic_identity": "librarian"}

    number: Mapped[int] = mapped_column(ForeignKey("readers.number"), primary_key=True)
    desk: Mapped[str] = mapped_column(String(10))


class Loan(VersionMixin, Base):
    """Counted updates, and a key of two columns."""

    __tablename__ = "loans"

    reader: Mapped[int] = mapped_column(ForeignKey("readers.number"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_back: Mapped[bool] = mapped_column(default=False)


MODELS: dict[str, Any] = {"books": Book, "countries": Country, "copies": Copy}
library_router = APIRouter(prefix="/library", tags=["library"])


class Params(PageParams):
    sort: Sort[str]


@library_router.get("/{table}")
async def list_rows(
    session: ReadSession,
    table: Literal["books", "countries", "copies"],
    params: Annotated[Params, Query()],
) -> dict[str, Any]:
    model = MODELS[table]
    page = await fetch_page(session, select(model), model, params)
    keys = [column.key for column in model.__mapper__.primary_key]
    items = [[str(getattr(row, key)) for key in keys] for row in page.items]
    return {"items": items, "next_cursor": page.next_cursor}


@library_router.post("/books", status_code=201)
async def create_book(session: Session, first_page: int, last_page: int) -> None:
    session.add(
        Book(
            title="Middlemarch",
            genre=Genre.NOVEL,
            price=Decimal("9.99"),
            printed_on=date(1871, 12, 1),
            bought_at=datetime.fromisoformat("2030-01-02T03:04:05.678901+00:00"),
            is_lent=False,
            first_page=first_page,
            last_page=last_page,
        )
    )
