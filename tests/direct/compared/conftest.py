"""Fixtures: a database with the rows of `models`, and an event loop."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy.schema import CreateSchema

from app.database import Database
from app.settings import Settings

from . import models, native_types, relationships

# Set by `tests/direct`.
EXAMPLES = int(os.environ["EXAMPLES"])
MANY = EXAMPLES >= 100

hypothesis_settings.register_profile(
    "compared",
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
hypothesis_settings.load_profile("compared")


def connected(**settings: Any) -> Database:
    url = SecretStr(os.environ["DATABASE_URL"])
    settings = {"database_pool_size": 5} | settings
    return Database(Settings(_env_file=None, database_url=url, **settings))


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def database(loop: asyncio.Runner) -> Iterator[Database]:
    """A database with the rows of `models`."""
    database = connected()

    async def create() -> None:
        async with database.engine.begin() as connection:
            if native_types.TYPES:
                await connection.execute(CreateSchema(native_types.SCHEMA, if_not_exists=True))
            await connection.run_sync(models.Base.metadata.drop_all)
            await connection.run_sync(models.Base.metadata.create_all)
        async with database.write() as session:
            for row in [*models.rows(), *relationships.rows(), *native_types.rows()]:
                session.add(row)
                await session.flush()
            await session.commit()

    loop.run(create())
    yield database
    loop.run(database.dispose())


@pytest.fixture
def new_database(loop: asyncio.Runner, database: Database) -> Iterator[Database]:
    """The same database, with pools of its own: a test may keep their connections."""
    new = connected()
    yield new
    loop.run(new.dispose())
