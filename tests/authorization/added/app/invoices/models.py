"""Tables with keys that are unlike those of the examples."""

from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import Base


class Invoice(Base):
    """A key of two columns."""

    __tablename__ = "invoices"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    customer: Mapped[str] = mapped_column(String(100))


class Line(Base):
    """An integer key, and a parent with a key of two columns."""

    __tablename__ = "lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["year", "number"], ["invoices.year", "invoices.number"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    text: Mapped[str] = mapped_column(String(100))


class Folder(Base):
    """An integer key, and a parent that is a folder."""

    __tablename__ = "folders"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
