"""Column types, primary keys and relationships."""

import asyncio
import os
import sys
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any, ClassVar

import pytest
from sqlalchemy import inspect, select, update
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, declared_attr, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import NullType

from app import models
from app.core.models import Base, VersionMixin
from app.settings import Settings
from tests.core.support import ROOT, service_environment
from tests.core.things import Thing


async def test_datetime_is_read_back_in_utc_with_microseconds(session: AsyncSession) -> None:
    written = datetime(2030, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2)))
    session.add(Thing(name="x", seen_at=written))
    await session.commit()
    found = await session.scalar(select(Thing.seen_at))
    assert found == written
    assert found.tzinfo is UTC


async def test_null_datetime_is_read_back_as_none(session: AsyncSession) -> None:
    session.add(Thing(name="x", gone_at=None))
    await session.commit()
    assert (await session.scalars(select(Thing.gone_at))).all() == [None]


async def test_datetime_without_a_time_zone_is_rejected(session: AsyncSession) -> None:
    session.add(Thing(name="x", seen_at=datetime(2030, 1, 1)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"):
        await session.flush()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("opens_at", time(23, 59, 59, 999999)),
        ("lasts", timedelta(seconds=1.5)),
        ("lasts", timedelta(days=-400, microseconds=7)),
        ("data", bytes(range(256))),
        ("data", b""),
    ],
)
async def test_value_is_read_back_as_it_was_written(
    session: AsyncSession, name: str, value: object
) -> None:
    session.add(Thing(name="x", **{name: value}))
    await session.commit()
    column = getattr(Thing, name)
    assert await session.scalar(select(column)) == value
    assert column.type.python_type is type(value)


async def test_time_with_a_time_zone_is_rejected(session: AsyncSession) -> None:
    session.add(Thing(name="x", opens_at=time(12, tzinfo=UTC)))
    with pytest.raises(StatementError, match="no time zone"):
        await session.flush()


async def test_ids_sort_in_the_order_of_their_creation(session: AsyncSession) -> None:
    things = [Thing(name=str(number)) for number in range(100)]
    session.add_all(things)
    await session.flush()
    names = (await session.scalars(select(Thing.name).order_by(Thing.id))).all()
    assert names == [thing.name for thing in things]


async def test_update_of_a_stale_version_is_rejected(session: AsyncSession) -> None:
    thing = Thing(name="x")
    session.add(thing)
    await session.commit()
    assert thing.version == 1
    statement = update(Thing).values(version=2)
    await session.execute(statement, execution_options={"synchronize_session": False})
    thing.note = "based on version 1"
    with pytest.raises(StaleDataError):
        await session.flush()


class WithArguments:
    __mapper_args__: ClassVar = {"eager_defaults": True}


class WithFunction:
    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"eager_defaults": True}


@pytest.mark.parametrize(
    "mixins",
    [
        (VersionMixin, WithArguments),
        (WithArguments, VersionMixin),
        (VersionMixin, WithFunction),
        (WithFunction, VersionMixin),
    ],
)
def test_updates_are_counted_whatever_the_arguments_of_the_mapper(mixins: tuple[type, ...]) -> None:
    class Own(DeclarativeBase):
        pass

    columns = {
        "__tablename__": "own",
        "__annotations__": {"id": Mapped[int]},
        "id": mapped_column(primary_key=True),
    }
    mapper: Mapper[Any] = inspect(type("Counted", (*mixins, Own), columns))
    assert mapper.version_id_col is not None
    assert mapper.version_id_col.name == "version"
    assert mapper.eager_defaults is True


def test_updates_of_subclasses_are_counted_in_the_table_of_their_parent() -> None:
    class Own(DeclarativeBase):
        pass

    class Parent(VersionMixin, Own):
        __tablename__ = "parents"
        __mapper_args__ = {
            "polymorphic_on": "kind",
            "polymorphic_identity": "parent",
        }
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]

    class Child(Parent):
        __mapper_args__ = {"polymorphic_identity": "child"}

    assert inspect(Child).version_id_col is Parent.__table__.c.version
    assert inspect(Child).polymorphic_identity == "child"


def test_mixin_after_the_base_is_refused_where_updates_would_not_be_counted() -> None:
    class Own(DeclarativeBase):
        pass

    class Late(Own, VersionMixin):
        __tablename__ = "late"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert inspect(Late).version_id_col is Late.__table__.c.version
    with pytest.raises(TypeError, match="Refused must list VersionMixin before Base"):

        class Refused(Own, VersionMixin):
            __tablename__ = "refused"
            __mapper_args__ = {"eager_defaults": True}
            id: Mapped[int] = mapped_column(primary_key=True)


async def test_lazy_loading_raises_an_error(session: AsyncSession) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    session.expunge_all()
    found = await session.scalar(select(Thing))
    assert found is not None
    with pytest.raises(InvalidRequestError, match="lazy='raise'"):
        _ = found.parts


def test_models_module_exports_every_table() -> None:
    for mapper in Base.registry.mappers:
        assert getattr(models, mapper.class_.__name__) is mapper.class_


def test_every_column_has_a_type() -> None:
    """A foreign key to a table that is not in the metadata gives its column none."""
    columns = [column for mapper in Base.registry.mappers for column in mapper.columns]
    assert [str(column) for column in columns if isinstance(column.type, NullType)] == []


async def test_models_module_registers_every_table(settings: Settings) -> None:
    # Alembic compares the database with the tables that `app.models` registers.
    script = (
        "import app.models; tables = set(app.models.Base.metadata.tables);"
        "import app.main; print(set(app.models.Base.metadata.tables) - tables)"
    )
    url = settings.database_url.get_secret_value()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        cwd=ROOT,
        env=os.environ | service_environment(url) | {"ENVIRONMENT": "test"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert output.decode().strip() == "set()"
