"""Models with types, constraints and references of an owner."""

from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.core.models import Base, PrimaryKey


class Money(TypeDecorator[Decimal]):
    """A type with an argument of its own."""

    impl = Numeric(8, 2)
    cache_ok = True

    def __init__(self, currency: StrEnum) -> None:
        super().__init__()
        self.money_of = currency


class Day(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATE"


class Code(String):
    """A type that the migration imports."""


class Currency(StrEnum):
    EURO = "EUR"


class Genre(StrEnum):
    NOVEL = "novel"
    POEM = "poem"


class Publisher(Base):
    __tablename__ = "publishers"

    id: Mapped[PrimaryKey]


class Series(Base):
    __tablename__ = "series"

    id: Mapped[PrimaryKey]
    publisher_id: Mapped[UUID] = mapped_column(ForeignKey("publishers.id"), index=True)


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("pages > 0", name="pages"),
        Index("ix_books_search", text("lower(title)")),
        CheckConstraint("title LIKE '%a%'", name="title"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    genre: Mapped[Genre]
    pages: Mapped[int]
    series_id: Mapped[UUID] = mapped_column(ForeignKey("series.id"), index=True)
    price: Mapped[Decimal] = mapped_column(Money(Currency.EURO))
    data: Mapped[Any] = mapped_column(JSON().with_variant(postgresql.JSONB(), "postgresql"))
    printed_on: Mapped[Any] = mapped_column(Day())
    code: Mapped[str] = mapped_column(Code(5))
