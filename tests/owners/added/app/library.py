"""Models, endpoints and constraints that are nothing like those of the examples."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    LargeBinary,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.models import Base, VersionMixin
from app.core.pagination import PageParams, Sort, fetch_page
from app.database import ReadSession, Session


class Genre(StrEnum):
    NOVEL = "novel"
    POEM = "poem"


Money = Annotated[Decimal, mapped_column(Numeric(12, 2))]


class Sample(Base):
    """A column of each type, inferred or explicit."""

    __tablename__ = "samples"

    number: Mapped[int] = mapped_column(primary_key=True)
    whole: Mapped[int | None]
    large: Mapped[int | None] = mapped_column(BigInteger)
    ratio: Mapped[float | None]
    double: Mapped[float | None] = mapped_column(Double)
    flag: Mapped[bool | None]
    name: Mapped[str | None] = mapped_column(String(100))
    text: Mapped[str | None] = mapped_column(Text)
    content: Mapped[bytes | None]
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    price: Mapped[Money | None]
    weight: Mapped[Decimal | None] = mapped_column(Numeric(8, 3))
    day: Mapped[date | None]
    other_day: Mapped[date | None] = mapped_column(Date)
    opens_at: Mapped[time | None]
    seen_at: Mapped[datetime | None]
    lasts: Mapped[timedelta | None]
    key: Mapped[UUID | None]
    genre: Mapped[Genre | None]
    hand: Mapped[Literal["left", "right"] | None]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON)


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
    opens_at: Mapped[time]
    lasts: Mapped[timedelta]
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


class Colour(Enum):
    RED = 1
    GREEN = "green"


class Side(str, Enum):  # noqa: UP042
    LEFT = "left"
    RIGHT = "right"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class ShelfBase(DeclarativeBase):
    """The base of tables that no migration creates, without names for constraints."""

    type_annotation_map: ClassVar = Base.type_annotation_map


class Shelf(ShelfBase):
    """Conditions in all places; the tests add indexes on expressions and triggers."""

    __tablename__ = "shelves"
    __table_args__ = (
        CheckConstraint("low < high", name="order"),
        CheckConstraint("low > 0", name="low"),
        CheckConstraint("width > 0"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(Text, default="")
    low: Mapped[int] = mapped_column(default=10)
    high: Mapped[int] = mapped_column(default=20)
    width: Mapped[int] = mapped_column(default=1)
    height: Mapped[int] = mapped_column(CheckConstraint("height > 0"), default=1)
    colour: Mapped[Colour | None]
    side: Mapped[Side | None]
    level: Mapped[Level | None]


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
            opens_at=time(9, 30),
            lasts=timedelta(hours=5),
            first_page=first_page,
            last_page=last_page,
        )
    )


@library_router.post("/shelves", status_code=201)
async def create_shelf(session: Session, body: dict[str, Any]) -> None:
    session.add(Shelf(**body))
