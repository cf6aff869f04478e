"""The same models after some years."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Numeric, String, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.core.models import Base, PrimaryKey


class Day(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATE"


class Code(String):
    pass


class Genre(StrEnum):
    NOVEL = "novel"
    POEM = "poem"
    PLAY = "play"


class Binding(StrEnum):
    HARD = "hard"
    SOFT = "soft"


class Reader(Base):
    __tablename__ = "readers"

    id: Mapped[PrimaryKey]


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        CheckConstraint("pages >= 0", name="pages"),
        Index("ix_books_search", text("lower(title)")),
        CheckConstraint("title LIKE '%a%'", name="title"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100), server_default="Untitled")
    genre: Mapped[Genre]
    pages: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    data: Mapped[Any] = mapped_column(JSON().with_variant(postgresql.JSONB(), "postgresql"))
    printed_on: Mapped[Any] = mapped_column(Day())
    code: Mapped[str] = mapped_column(Code(5))
    copies: Mapped[int] = mapped_column(default=1)
    binding: Mapped[Binding] = mapped_column(default=Binding.HARD)
    shelf: Mapped[str] = mapped_column(String(10))
    sequel: Mapped[int | None] = mapped_column(ForeignKey("books.number"), index=True)
