"""Collections of every kind, and their rows."""

from typing import Any

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table, and_
from sqlalchemy.orm import (
    Mapped,
    WriteOnlyMapped,
    attribute_keyed_dict,
    mapped_column,
    relationship,
)

from .models import Base, Lower, Upper

marks = Table(
    "marks",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag", ForeignKey("tags.name"), primary_key=True),
    Column("position", Integer),
)


class Titles(list[Any]):
    """An owner's collection."""


class Author(Base):
    """The parent of each kind of collection."""

    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None] = mapped_column(Upper)
    teacher_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))

    books: Mapped[list["Book"]] = relationship(
        back_populates="author", order_by="Book.title.desc()", lazy="raise"
    )
    as_set: Mapped[set["Book"]] = relationship(viewonly=True, collection_class=set)
    by_title: Mapped[dict[str, "Book"]] = relationship(
        viewonly=True, collection_class=attribute_keyed_dict("title")
    )
    own: Mapped[list["Book"]] = relationship(viewonly=True, collection_class=Titles)
    short: Mapped[list["Book"]] = relationship(
        viewonly=True,
        primaryjoin=lambda: and_(Author.id == Book.author_id, Book.pages < 100),
        order_by="Book.pages",
    )
    first: Mapped["Book | None"] = relationship(
        viewonly=True,
        uselist=False,
        primaryjoin=lambda: and_(Author.id == Book.author_id, Book.title == "a"),
    )
    pupils: Mapped[list["Author"]] = relationship(
        back_populates="teacher", order_by="Author.id", join_depth=1
    )
    written: WriteOnlyMapped["Book"] = relationship(viewonly=True)
    teacher: Mapped["Author | None"] = relationship(
        back_populates="pupils", remote_side="Author.id"
    )
    joined: Mapped[list["Book"]] = relationship(viewonly=True, omit_join=False, order_by="Book.id")
    tags: Mapped[list["Tag"]] = relationship(
        viewonly=True,
        secondary=lambda: Book.__table__.join(marks),
        primaryjoin=lambda: Author.id == Book.__table__.c.author_id,
        secondaryjoin=lambda: Tag.name == marks.c.tag,
        order_by="Tag.name",
    )


class Book(Base):
    """A child, with a collection of its own."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(String(20))
    pages: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))

    author: Mapped[Author | None] = relationship(back_populates="books", lazy="raise")
    tags: Mapped[list["Tag"]] = relationship(secondary=marks, order_by=marks.c.position)


class Tag(Base):
    """At both ends of many-to-many; its key is converted."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(Upper, primary_key=True)
    books: Mapped[list[Book]] = relationship(secondary=marks, order_by=Book.id, viewonly=True)


class Shelf(Base):
    """Its collection is loaded by default, and its key has two parts."""

    __tablename__ = "shelves"

    room: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str] = mapped_column(String(5), primary_key=True)
    boxes: Mapped[list["Box"]] = relationship(lazy="selectin", order_by="Box.id")


class Box(Base):
    __tablename__ = "boxes"
    __table_args__ = (
        ForeignKeyConstraint(["shelf_room", "shelf_number"], ["shelves.room", "shelves.number"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shelf_room: Mapped[int]
    shelf_number: Mapped[str] = mapped_column(String(5))
    label: Mapped[str | None] = mapped_column(Lower)


# Collections that a plan loads, and collections that only the session loads.
DIRECT: list[Any] = [
    Author.books,
    Author.as_set,
    Author.by_title,
    Author.own,
    Author.short,
    Author.first,
    Author.pupils,
    Author.joined,
    Author.tags,
    Book.tags,
    Tag.books,
    Shelf.boxes,
]
BY_SESSION: list[Any] = [Author.teacher, Book.author]


def rows() -> list[Any]:
    """Return parents with two children, with one and with none, and a child without a parent."""
    first, second = Tag(name="new"), Tag(name="old")
    return [
        Author(id=1, name="A"),
        Author(id=2, name="B", teacher_id=1),
        Author(id=3, name="C", teacher_id=3),
        Author(id=4, name="D", teacher_id=1),
        first,
        second,
        Book(id=1, title="b", pages=10, author_id=1, tags=[first, second]),
        Book(id=2, title="a", pages=200, author_id=1, tags=[second]),
        Book(id=3, title="a", pages=5, author_id=2),
        Book(id=4, title="c", pages=5, author_id=2, tags=[first]),
        Book(id=5, title="d", pages=None, author_id=None),
        Shelf(room=1, number="x", boxes=[Box(id=1, label="L"), Box(id=2)]),
        Shelf(room=1, number="y", boxes=[]),
        Shelf(room=2, number="x", boxes=[Box(id=3)]),
    ]
