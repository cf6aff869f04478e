"""Migrations: forth, back and forth again, in step with the models, and one at a time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from alembic import command
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import migration_engine
from app.health import head_revisions
from app.models import Base
from app.settings import Settings
from tests.support import PYPROJECT, run_alembic


@pytest.fixture
async def connection(unmigrated: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection to an empty database."""
    engine = migration_engine(unmigrated)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def table_names(connection: AsyncConnection) -> set[str]:
    names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    await connection.rollback()
    return names


async def run_command_line(settings: Settings, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", *arguments),
        cwd=PYPROJECT.parent,
        env=os.environ
        | {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "SECRET_KEY": "a secret that only the tests have",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_migrations_go_forth_and_back_and_forth_again(connection: AsyncConnection) -> None:
    tables = {*Base.metadata.tables, "alembic_version"}
    await run_alembic(connection, command.upgrade, "head")
    assert await table_names(connection) == tables
    await run_alembic(connection, command.downgrade, "base")
    assert await table_names(connection) == {"alembic_version"}
    await run_alembic(connection, command.upgrade, "head")
    assert await table_names(connection) == tables


async def test_models_and_migrations_agree(connection: AsyncConnection) -> None:
    await run_alembic(connection, command.upgrade, "head")
    await run_alembic(connection, command.check)


def test_there_is_one_newest_migration() -> None:
    assert len(head_revisions()) == 1


async def test_replicas_may_migrate_at_once(
    unmigrated: Settings, connection: AsyncConnection
) -> None:
    upgrades = (run_command_line(unmigrated, "upgrade", "head") for _ in range(3))
    results: Sequence[tuple[int, str]] = await asyncio.gather(*upgrades)
    assert [status for status, _ in results] == [0, 0, 0], results
    assert sum("Running upgrade" in output for _, output in results) == len(head_revisions())
    assert await table_names(connection) == {*Base.metadata.tables, "alembic_version"}


async def test_migrations_can_be_printed_as_sql(unmigrated: Settings) -> None:
    status, output = await run_command_line(unmigrated, "upgrade", "head", "--sql")
    assert status == 0
    assert "CREATE TABLE projects" in output


async def test_connection_in_a_transaction_is_refused(connection: AsyncConnection) -> None:
    await connection.begin()
    with pytest.raises(RuntimeError, match="without a transaction"):
        await run_alembic(connection, command.upgrade, "head")
    await connection.rollback()
