"""Tables with every kind of column and mapping, and their rows."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum as PythonEnum
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Double,
    Enum,
    Float,
    ForeignKey,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    PickleType,
    SmallInteger,
    String,
    TypeDecorator,
    func,
    select,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    column_property,
    composite,
    deferred,
    mapped_column,
    relationship,
    synonym,
    validates,
)

from app.core.models import Base as ServiceBase


class Base(DeclarativeBase):
    metadata = MetaData()
    type_annotation_map: ClassVar[Any] = ServiceBase.type_annotation_map


class Upper(TypeDecorator[str]):
    """An owner's type: stored in lower case, read in upper case."""

    impl = String(50)
    cache_ok = True

    def process_bind_param(self, value: Any, _: Dialect) -> Any:
        return value.lower()

    def process_result_value(self, value: Any, _: Dialect) -> Any:
        return value and value.upper()


class Lower(TypeDecorator[str]):
    """An owner's type whose SQL converts the value."""

    impl = String(50)
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return func.upper(column)

    def bind_expression(self, value: Any) -> Any:
        return func.lower(value)


class Uncached(TypeDecorator[str]):
    """An owner's type that prevents the caching of statements."""

    impl = String(50)
    cache_ok = False


class Colour(PythonEnum):
    RED = 1
    BLUE = 2


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Everything(Base):
    """A column of each type, some with other names."""

    __tablename__ = "everything"

    key: Mapped[int] = mapped_column("id", primary_key=True, autoincrement=False)
    big: Mapped[int | None] = mapped_column(BigInteger)
    little: Mapped[int | None] = mapped_column(SmallInteger)
    ratio: Mapped[float | None] = mapped_column(Double)
    single: Mapped[float | None] = mapped_column(Float)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    about: Mapped[float | None] = mapped_column("about_it", Numeric(10, 2, asdecimal=False))
    exact: Mapped[Decimal | None] = mapped_column(Float(asdecimal=True))
    name: Mapped[str | None] = mapped_column("the name", Upper)
    text: Mapped[str | None] = mapped_column(String(200))
    flag: Mapped[bool | None]
    blob: Mapped[bytes | None] = mapped_column(LargeBinary)
    data: Mapped[Any] = mapped_column(JSON, nullable=True)
    pickled: Mapped[Any] = mapped_column(PickleType, nullable=True)
    token: Mapped[UUID | None]
    colour: Mapped[Colour | None]
    size: Mapped[Size | None] = mapped_column(Enum(Size, native_enum=False))
    instant: Mapped[datetime | None]
    day: Mapped[date | None]
    time_of_day: Mapped[time | None]
    lasts: Mapped[timedelta | None] = mapped_column(Interval)

    also_text = synonym("text")
    length = column_property(func.length(text) + 1)

    @hybrid_property
    def double(self) -> Any:
        return self.key * 2

    @validates("text")
    def check_text(self, _: str, value: Any) -> Any:
        return value


class Pair(Base):
    """A composite key, of which a part refers to another table."""

    __tablename__ = "pairs"

    left: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    right: Mapped[str] = mapped_column(String(20), primary_key=True)
    everything_id: Mapped[int | None] = mapped_column(ForeignKey("everything.id"))
    everything: Mapped[Everything | None] = relationship(lazy="raise")


class Strict(Base):
    """As `Pair`, but a key with a NULL part is not a key."""

    __tablename__ = "strict"
    __mapper_args__: ClassVar[Any] = {"allow_partial_pks": False}

    left: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    right: Mapped[str] = mapped_column(String(20), primary_key=True)
    pairs: Mapped[list[Pair]] = relationship(
        primaryjoin="foreign(Pair.left) == Strict.left", viewonly=True
    )


class Summary(Base):
    """Mapped to a query."""

    __table__ = (
        select(Pair.everything_id.label("id"), func.count().label("pairs"))
        .where(Pair.everything_id.is_not(None))
        .group_by(Pair.everything_id)
        .subquery("summary")
    )
    __mapper_args__: ClassVar[Any] = {"primary_key": [__table__.c.id]}


# What only the session can read.


class Converted(Base):
    __tablename__ = "converted"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Lower)


class Slow(Base):
    __tablename__ = "slow"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Uncached)


class Late(Base):
    __tablename__ = "late"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = deferred(mapped_column(String(20)))


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

    def __composite_values__(self) -> tuple[int, int]:
        return self.x, self.y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self) -> int:
        return hash((self.x, self.y))

    def __repr__(self) -> str:
        return f"Point({self.x}, {self.y})"


class Placed(Base):
    __tablename__ = "placed"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    point: Mapped[Point] = composite(
        Point, mapped_column("x", Integer), mapped_column("y", Integer)
    )


class Changing(Base):
    __tablename__ = "changing"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[dict[str, Any]] = mapped_column(MutableDict.as_mutable(JSON))


class Animal(Base):
    __tablename__ = "animals"
    __mapper_args__: ClassVar[Any] = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))


class Dog(Animal):
    __mapper_args__: ClassVar[Any] = {"polymorphic_identity": "dog"}


class Eager(Base):
    __tablename__ = "eager"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    everything_id: Mapped[int] = mapped_column(ForeignKey("everything.id"))
    everything: Mapped[Everything] = relationship(lazy="joined")


class Selecting(Base):
    __tablename__ = "selecting"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    everything_id: Mapped[int] = mapped_column(ForeignKey("everything.id"))
    everything: Mapped[Everything] = relationship(lazy="selectin")


DIRECT = [Everything, Pair, Strict, Summary, Converted, Slow]
BY_SESSION = [Late, Placed, Changing, Animal, Dog, Eager, Selecting]


def rows() -> list[Any]:
    """Return a row with values, one with the edges of types, and one with NULL."""
    full = Everything(
        key=1,
        big=2**40,
        little=-5,
        ratio=0.1,
        single=0.25,
        price=Decimal("1.20"),
        about=2.5,
        exact=Decimal("0.5"),
        name="MiXed",
        text="fünf % 'quoted' \\ :name",
        flag=True,
        blob=b"a\0\xff",
        data={"a": [1, None, "ü"]},
        pickled={1, 2},
        token=UUID(int=7),
        colour=Colour.RED,
        size=Size.SMALL,
        instant=datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        day=date(2020, 2, 29),
        time_of_day=time(23, 59, 59, 999999),
        lasts=timedelta(hours=1, microseconds=5),
    )
    edges = Everything(
        key=-(2**31),
        big=-(2**63),
        little=2**15 - 1,
        ratio=1e300,
        single=0.0,
        price=Decimal("-99999999.99"),
        about=0.0,
        exact=Decimal(0),
        name="",
        text="",
        flag=False,
        blob=b"",
        data=[],
        pickled=None,
        token=UUID(int=0),
        colour=Colour.BLUE,
        size=Size.LARGE,
        instant=datetime(1970, 1, 1, tzinfo=UTC),
        day=date(1970, 1, 1),
        time_of_day=time(0),
        lasts=timedelta(0),
    )
    empty = Everything(key=3, name="x", text=None)
    return [
        full,
        edges,
        empty,
        Pair(left=1, right="a", everything_id=1),
        Pair(left=1, right="b", everything_id=1),
        Pair(left=2, right="", everything_id=None),
        Strict(left=1, right="a"),
        Converted(id=1, word="abc"),
        Slow(id=1, word="abc"),
        Late(id=1, word="abc"),
        Placed(id=1, point=Point(1, 2)),
        Changing(id=1, data={"a": 1}),
        Animal(id=1),
        Dog(id=2),
        Eager(id=1, everything_id=1),
        Selecting(id=1, everything_id=1),
    ]
