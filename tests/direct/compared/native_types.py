"""A table with the column types that only one database has, and a table in a second schema."""

import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Integer, Numeric, String, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import Mapped, mapped_column

from .models import Base, Colour, Size

# Each type with two values.
POSTGRESQL: list[tuple[Any, Any, Any]] = [
    (ARRAY(Integer), [1, None, 3], []),
    (ARRAY(Integer, dimensions=2), [[1, 2], [3, 4]], []),
    (ARRAY(Text), ["ü", 'a"b', "{,}"], [""]),
    (ARRAY(Numeric(10, 2)), [Decimal("1.20")], [None]),
    (ARRAY(Numeric(10, 2, asdecimal=False)), [1.5], []),
    (ARRAY(DateTime(timezone=True)), [datetime(2020, 1, 2, tzinfo=UTC)], []),
    (ARRAY(postgresql.UUID()), [UUID(int=7)], []),
    (ARRAY(postgresql.ENUM(Colour, name="colours")), [Colour.RED], []),
    (postgresql.ENUM(Size, name="sizes"), Size.SMALL, Size.LARGE),
    (postgresql.DOMAIN("short", String(20)), "a", ""),
    (postgresql.JSON(), {"a": [1, None, "ü"]}, []),
    (postgresql.JSONB(), {"a": [1.5, None, "ü"]}, "text"),
    (postgresql.INET(), ip_address("10.0.0.1"), ip_address("::1")),
    (postgresql.CIDR(), ip_network("10.0.0.0/8"), ip_network("::/0")),
    (postgresql.MACADDR(), "08:00:2b:01:02:03", "00:00:00:00:00:00"),
    (postgresql.INT4RANGE(), postgresql.Range(1, 5), postgresql.Range(empty=True)),
    (postgresql.INT8RANGE(), postgresql.Range(1, None), postgresql.Range(None, 2**40)),
    (postgresql.NUMRANGE(), postgresql.Range(Decimal("0.5"), Decimal(2), bounds="(]"), None),
    (postgresql.DATERANGE(), postgresql.Range(date(2020, 2, 29), None), None),
    (postgresql.TSTZRANGE(), postgresql.Range(datetime(2020, 1, 2, tzinfo=UTC), None), None),
    (postgresql.INT4MULTIRANGE(), [postgresql.Range(1, 2), postgresql.Range(4, 5)], []),
    (postgresql.BYTEA(), b"\0\xff", b""),
    (postgresql.INTERVAL(), timedelta(days=3, microseconds=5), -timedelta(hours=1)),
    (postgresql.TIMESTAMP(), datetime(2020, 1, 2, 3, 4, 5, 678), datetime(1, 1, 1)),
    (postgresql.TIME(timezone=True), time(1, 2, tzinfo=UTC), time(0, tzinfo=UTC)),
    (postgresql.UUID(as_uuid=False), str(UUID(int=7)), str(UUID(int=0))),
    (postgresql.TSVECTOR(), "'a':1 'b':2", ""),
    (postgresql.OID(), 1, 2**32 - 1),
    (postgresql.REAL(), 0.1, 1e-30),
]
MYSQL: list[tuple[Any, Any, Any]] = [
    (mysql.SET("a", "b", "c"), {"a", "c"}, set()),
    (mysql.ENUM(Size), Size.SMALL, Size.LARGE),
    (mysql.ENUM("x", "ü"), "x", "ü"),
    (mysql.YEAR(), 2026, 1901),
    (mysql.BIT(1), 1, 0),
    (mysql.BIT(40), 2**39, 5),
    (mysql.TINYINT(1), 1, -128),
    (mysql.TINYINT(unsigned=True), 255, 0),
    (mysql.INTEGER(unsigned=True), 2**32 - 1, 0),
    (mysql.BIGINT(unsigned=True), 2**64 - 1, 0),
    (mysql.DECIMAL(10, 2, unsigned=True, zerofill=True), Decimal("1.20"), Decimal(0)),
    (mysql.DECIMAL(10, 2, asdecimal=False), 1.5, -2.25),
    (mysql.FLOAT(), 0.5, -1e30),
    (mysql.DOUBLE(asdecimal=True), Decimal("0.5"), Decimal(0)),
    (mysql.TINYBLOB(), b"\0\xff", b""),
    (mysql.MEDIUMBLOB(), b"\0\xff", b""),
    (mysql.BINARY(4), b"abcd", b"\0\0\0\0"),
    (mysql.VARBINARY(10), b"\xff", b""),
    (mysql.MEDIUMTEXT(), "ü", ""),
    (mysql.VARCHAR(10, charset="latin1"), "ü", ""),
    (mysql.DATETIME(fsp=6), datetime(2020, 1, 2, 3, 4, 5, 678), datetime(1000, 1, 1)),
    (mysql.TIMESTAMP(fsp=3), datetime(2020, 1, 2, 3, 4, 5, 678000), datetime(1971, 1, 1)),
    (mysql.TIME(fsp=6), time(1, 2, 3, 4), time(0)),
    (mysql.JSON(), {"a": [1, None, "ü"]}, []),
    (mysql.DATE(), date(2020, 2, 29), date(1000, 1, 1)),
]
FAMILY = os.environ["DATABASE_URL"].split(":")[0].split("+")[0]
TYPES = {"postgresql": POSTGRESQL, "mysql": MYSQL}.get(FAMILY, [])
SCHEMA = "compared_elsewhere"
NAMES = [f"{number}_{type(kind).__name__}".lower() for number, (kind, *_) in enumerate(TYPES)]


class Elsewhere(Base):
    """Its table is in a second schema: on MySQL, in a second database."""

    __tablename__ = "elsewhere"
    __table_args__ = {"schema": SCHEMA} if TYPES else {}

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Translated(Base):
    """A table of the same name in the first schema."""

    __tablename__ = "elsewhere" if TYPES else "translated"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


Native: Any = type(
    "Native",
    (Base,),
    {"__tablename__": "native"}
    | {"id": mapped_column(Integer, primary_key=True, autoincrement=False)}
    | {
        name: mapped_column(kind, nullable=True)
        for name, (kind, *_) in zip(NAMES, TYPES, strict=True)
    },
)
COLUMNS: list[Any] = [getattr(Native, name) for name in NAMES]


def rows() -> list[Any]:
    """Return a row for each value, and one with NULL."""
    return [
        Native(id=1, **{name: first for name, (_, first, _) in zip(NAMES, TYPES, strict=True)}),
        Native(id=2, **{name: second for name, (*_, second) in zip(NAMES, TYPES, strict=True)}),
        Native(id=3),
        Elsewhere(id=7),
    ]
