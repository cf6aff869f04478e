"""Health checks: `live` for the process, `ready` for its database and schema, `pool` for load."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from app.core.errors import DomainError, problems
from app.core.pool import PoolStatus
from app.database import Database, get_database

MIGRATIONS = Path(__file__).parents[2] / "migrations"
VERSIONS = table("alembic_version", column("version_num"))

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: str = "ok"


class Schema(StrEnum):
    """The schema of the database, compared with this release."""

    CURRENT = "current"
    NEWER = "newer than this release"
    BEHIND = "behind this release"


class SchemaNotReady(DomainError):
    status = 503
    detail = "The database schema is behind this release; run `alembic upgrade head`."
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


class ShuttingDown(DomainError):
    status = 503
    detail = "The service is shutting down."
    code = "ending"


@cache
def head_revisions() -> frozenset[str]:
    """Return the newest revisions of this release."""
    return frozenset(ScriptDirectory(MIGRATIONS).get_heads())


@cache
def known_revisions() -> frozenset[str]:
    """Return every revision of this release."""
    scripts = ScriptDirectory(MIGRATIONS).walk_revisions()
    return frozenset(script.revision for script in scripts)


def compare_schema(applied: frozenset[str]) -> Schema:
    """Compare the applied revisions with this release; a newer release applied unknown ones."""
    if applied == head_revisions():
        return Schema.CURRENT
    return Schema.BEHIND if applied <= known_revisions() else Schema.NEWER


@router.get("/live")
async def live() -> Health:
    """Report that the process responds; restart it if it does not."""
    return Health()


@router.get("/ready", responses=problems(503))
async def ready(request: Request, database: Annotated[Database, Depends(get_database)]) -> Health:
    """Report whether to send requests here: the database responds and its schema is not behind.

    A newer schema is fine: migrations run before the release that needs them, while this one
    still serves.
    """
    if request.app.state.shutting_down:
        raise ShuttingDown
    if compare_schema(await applied_revisions(database)) is Schema.BEHIND:
        raise SchemaNotReady
    return Health()


@router.get("/pool")
async def pool(database: Annotated[Database, Depends(get_database)]) -> dict[str, PoolStatus]:
    """Report how busy the database connections of this process are."""
    return database.pools


async def applied_revisions(database: Database) -> frozenset[str]:
    """Return the revisions that the database is migrated to: none before the first migration."""
    try:
        rows = await database.read().scalars(select(VERSIONS.c.version_num))
    except DBAPIError:
        async with database.read_engine.connect() as connection:
            is_migrated = await connection.run_sync(_has_versions)
        if is_migrated:
            raise
        return frozenset()
    return frozenset(rows)


def _has_versions(connection: Connection) -> bool:
    return inspect(connection).has_table(VERSIONS.name)


async def describe(database: Database) -> str:
    """Return server, driver, pools and schema in one line. Raises what the driver raises."""
    applied = await applied_revisions(database)
    dialect = database.engine.dialect
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    pools = ", ".join(f"{status.size} ({use})" for use, status in database.pools.items())
    schema = f"{', '.join(sorted(applied)) or 'none'}, {compare_schema(applied)}"
    return (
        f"{dialect.name} {version} through {dialect.driver} (async);"
        f" pool: {pools}; schema: {schema}"
    )
