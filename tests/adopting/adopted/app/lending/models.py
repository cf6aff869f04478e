"""The tables of the library."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.models import Base, utc_now


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (UniqueConstraint("isbn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    isbn: Mapped[str | None] = mapped_column(String(13))
    added_at: Mapped[datetime] = mapped_column(default=utc_now)

    loans: Mapped[list["Loan"]] = relationship(
        back_populates="book", order_by="Loan.id", lazy="raise"
    )


class Loan(Base):
    __tablename__ = "loans"
    __table_args__ = (Index(None, "book_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    borrower: Mapped[str]
    due_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]

    book: Mapped[Book] = relationship(back_populates="loans", lazy="raise")
