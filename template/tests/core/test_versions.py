"""Versions count the updates of statements as well as those of objects."""

from typing import Any, Literal
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, String, bindparam, insert, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from app.core.models import VersionMixin
from app.database import Database
from tests.core.support import recorded_statements
from tests.core.things import Thing, ThingsBase

Synchronize = Literal["auto", "evaluate", "fetch", False]


@pytest.fixture
async def thing(session: AsyncSession) -> Thing:
    """A thing that the session has loaded, beside another one."""
    thing = Thing(name="x")
    session.add_all([thing, Thing(name="y")])
    await session.commit()
    return thing


async def versions(session: AsyncSession) -> list[int]:
    """Return the versions that are stored, in the order of the names."""
    return list(await session.scalars(select(Thing.version).order_by(Thing.name)))


@pytest.mark.parametrize("synchronize", ["auto", "evaluate", "fetch"])
async def test_statement_counts_in_rows_and_in_loaded_objects(
    session: AsyncSession, thing: Thing, synchronize: Synchronize
) -> None:
    statement = update(Thing).where(Thing.name == "x").values(note="changed")
    await session.execute(statement, execution_options={"synchronize_session": synchronize})
    assert await versions(session) == [2, 1]
    assert (thing.note, thing.version) == ("changed", 2)
    thing.size = 2
    await session.flush()
    assert await versions(session) == [3, 1]


async def test_loaded_object_that_a_statement_does_not_synchronize_is_stale(
    session: AsyncSession, thing: Thing
) -> None:
    statement = update(Thing).values(note="changed")
    await session.execute(statement, execution_options={"synchronize_session": False})
    assert thing.version == 1
    thing.size = 2
    with pytest.raises(StaleDataError):
        await session.flush()


async def test_every_form_of_an_update_statement_counts(
    session: AsyncSession, thing: Thing
) -> None:
    key, other, table = Thing.id == thing.id, aliased(Thing), ThingsBase.metadata.tables["things"]
    await session.execute(update(Thing).where(key), {"note": "in parameters"})
    statement = update(other).where(other.id == thing.id).values(note="of an alias")
    await session.execute(statement, execution_options={"synchronize_session": False})
    await session.execute(update(Thing).where(key).ordered_values((Thing.note, "in order")))
    await session.execute(update(table).where(key).values(note="of a table"))
    connection = await session.connection()
    statement = update(Thing).where(Thing.id == bindparam("key")).values(note=bindparam("new"))
    await connection.execute(statement, [{"key": thing.id, "new": "of many"}])
    assert await versions(session) == [6, 1]


async def test_version_that_a_statement_sets_is_kept(session: AsyncSession, thing: Thing) -> None:
    await session.execute(update(Thing).where(Thing.name == "x").values(version=7))
    await session.execute(update(Thing).where(Thing.name == "y"), {"version": 8})
    assert await versions(session) == [7, 8]
    assert thing.version == 7


async def test_list_of_rows_is_checked_and_counted(session: AsyncSession, thing: Thing) -> None:
    unloaded = await session.scalar(select(Thing.id).where(Thing.name == "y"))
    rows = [{"id": key, "note": "changed", "version": 1} for key in (thing.id, unloaded)]
    await session.execute(update(Thing), rows)
    assert await versions(session) == [2, 2]
    thing.size = 2
    await session.flush()
    assert await versions(session) == [3, 2]
    with pytest.raises(StaleDataError):
        await session.execute(update(Thing), rows)


async def test_list_of_rows_without_versions_is_refused(
    session: AsyncSession, thing: Thing
) -> None:
    with pytest.raises(TypeError, match=r"^update\(Thing\) with a list needs the current"):
        await session.execute(update(Thing), [{"id": thing.id, "note": "changed"}])


@pytest.mark.parametrize(
    "statement",
    [
        sqlite.insert(Thing).on_conflict_do_update(index_elements=["name"], set_={"note": "new"}),
        mysql.insert(Thing).on_duplicate_key_update(note="new"),
        select(Thing).from_statement(
            sqlite.insert(Thing).on_conflict_do_update(set_={"note": "new"}).returning(Thing)
        ),
    ],
)
async def test_upsert_that_does_not_count_is_refused(session: AsyncSession, statement: Any) -> None:
    with pytest.raises(TypeError, match=r"has to set version to Thing\.version \+ 1\.$"):
        await session.execute(statement, {"name": "x"})


async def test_insert_of_new_rows_starts_at_one(session: AsyncSession) -> None:
    await session.execute(insert(Thing), [{"name": "x"}, {"name": "y"}])
    await session.execute(insert(ThingsBase.metadata.tables["things"]).values(name="z", size=1))
    assert await versions(session) == [1, 1, 1]


async def test_model_without_a_version_counts_nothing(session: AsyncSession, thing: Thing) -> None:
    class Own(DeclarativeBase):
        pass

    class Unversioned(Own):
        __tablename__ = "things"
        id: Mapped[UUID] = mapped_column(primary_key=True)
        note: Mapped[str] = mapped_column(String(2000))

    await session.execute(update(Unversioned).values(note="changed"))
    assert await versions(session) == [1, 1]


async def test_statement_that_cannot_count_is_refused(session: AsyncSession) -> None:
    class Own(DeclarativeBase):
        pass

    class Parent(VersionMixin, Own):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Child(Parent):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(ForeignKey("parents.id"), primary_key=True)
        note: Mapped[str]

    with pytest.raises(TypeError, match=r"^update\(Child\) cannot count the version"):
        await session.execute(update(Child).values(note="changed"))


async def test_flush_sets_the_version_and_reads_nothing_back(
    session: AsyncSession, database: Database, thing: Thing
) -> None:
    thing.note = "changed"
    with recorded_statements(database) as statements:
        await session.flush()
    [statement] = [statement for statement in statements if "things" in statement]
    assert statement.startswith("UPDATE things SET note=")
    assert "version +" not in statement
    assert "RETURNING" not in statement
    assert thing.version == 2


async def test_insert_reads_nothing_back(session: AsyncSession, database: Database) -> None:
    session.add(Thing(name="x"))
    with recorded_statements(database) as statements:
        await session.flush()
    [statement] = [statement for statement in statements if "things" in statement]
    assert statement.startswith("INSERT INTO things")
    assert "RETURNING" not in statement
