"""Constraints in all forms: a row that they refuse is the client's mistake, never a 500."""

import logging
from random import Random
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.engines import create_engine
from app.library import Colour, Level, Shelf, ShelfBase, Side
from app.settings import Settings

# What SQLAlchemy cannot write for every database: indexes on expressions, triggers and exclusions.
REFUSE = "BEFORE INSERT ON shelves FOR EACH ROW"
STATEMENTS = {
    "postgresql": [
        "CREATE UNIQUE INDEX titles ON shelves (lower(title))",
        "CREATE UNIQUE INDEX notes ON shelves (note) WHERE note > ''",
        "ALTER TABLE shelves ADD CONSTRAINT overlap EXCLUDE USING gist"
        " (int4range(low, high) WITH &&) WHERE (low < 10)",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'secret'; END $$",
        f"CREATE TRIGGER refuse {REFUSE} WHEN (NEW.width = 9) EXECUTE FUNCTION refuse()",
    ],
    "mysql": [
        "CREATE UNIQUE INDEX titles ON shelves ((lower(title)))",
        f"CREATE TRIGGER refuse {REFUSE} IF NEW.width = 9 THEN"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret'; END IF",
    ],
    "mariadb": [
        "ALTER TABLE shelves ADD COLUMN lowered VARCHAR(100) AS (lower(title)) UNIQUE",
        f"CREATE TRIGGER refuse {REFUSE} IF NEW.width = 9 THEN"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret'; END IF",
    ],
    "sqlite": [
        "CREATE UNIQUE INDEX titles ON shelves (lower(title))",
        f"CREATE TRIGGER refuse {REFUSE} WHEN NEW.width = 9"
        " BEGIN SELECT RAISE(ABORT, 'secret'); END",
    ],
}


@pytest.fixture(scope="module")
async def database_name(settings: Settings) -> str:
    """The name of the database, in which the table is created."""

    def create(connection: Connection) -> str:
        is_mariadb = getattr(connection.dialect, "is_mariadb", False)
        name = "mariadb" if is_mariadb else connection.dialect.name
        ShelfBase.metadata.create_all(connection)
        for statement in STATEMENTS[name]:
            connection.exec_driver_sql(statement)
        return name

    engine = create_engine(settings)
    async with engine.begin() as connection:
        name = await connection.run_sync(create)
    await engine.dispose()
    return name


async def post(client: AsyncClient, values: dict[str, Any]) -> tuple[int, str]:
    response = await client.post("/api/v1/library/shelves", json=values)
    return response.status_code, response.json()["code"] if response.json() else ""


@pytest.mark.usefixtures("database_name")
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"low": 2, "high": 1}, (422, "check")),
        ({"low": -1}, (422, "check")),
        ({"width": 0}, (422, "check")),
        ({"height": 0}, (422, "check")),
        ({"width": 9}, (422, "check")),
        ({"title": "SECRET"}, (409, "unique")),
        ({"title": None}, (422, "not_null")),
    ],
)
async def test_row_that_a_constraint_refuses_is_a_problem(
    client: AsyncClient,
    caplog: pytest.LogCaptureFixture,
    values: dict[str, Any],
    expected: tuple[int, str],
) -> None:
    caplog.set_level(logging.INFO, "app")
    assert await post(client, {"title": "secret"}) == (201, "")
    assert await post(client, {"title": "another secret"} | values) == expected
    assert f"{expected[1]} (" in caplog.text  # followed by the error of the driver
    assert "secret" not in caplog.text.lower()


async def test_row_that_an_exclusion_or_an_index_refuses_is_a_problem(
    client: AsyncClient, database_name: str
) -> None:
    if database_name != "postgresql":
        pytest.skip("only PostgreSQL has exclusion constraints, and indexes on long texts")
    assert await post(client, {"title": "one", "low": 1, "high": 5}) == (201, "")
    assert await post(client, {"title": "two", "low": 4, "high": 9}) == (409, "unique")
    note = Random(0).randbytes(9000).hex()
    assert await post(client, {"title": "three", "note": note}) == (422, "bad_value")


@pytest.mark.usefixtures("database_name")
@pytest.mark.parametrize(
    ("name", "value"), [("colour", Colour.GREEN), ("side", Side.LEFT), ("level", Level.HIGH)]
)
async def test_member_of_a_plain_enum_is_read_back(
    session: AsyncSession, name: str, value: object
) -> None:
    session.add(Shelf(title="x", **{name: value}))
    await session.commit()
    assert await session.scalar(select(getattr(Shelf, name))) is value
