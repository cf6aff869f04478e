"""Probes: `live` says that the process answers, `ready` that it can serve, `pool` how busy it is."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import column, inspect, select, table
from sqlalchemy.orm import Session

from app.database import Database, ReadSession, get_database
from app.errors import DomainError, problems
from app.pool import PoolStatus

MIGRATIONS = Path(__file__).parent.parent / "migrations"
VERSIONS = table("alembic_version", column("version_num"))

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: str = "ok"


class Schema(StrEnum):
    """What the database is migrated to, compared with this release."""

    CURRENT = "current"
    NEWER = "newer than this release"
    BEHIND = "behind this release"


class SchemaNotReady(DomainError):
    status = 503
    detail = "The database's schema is behind this release: run `alembic upgrade head`."
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


class Ending(DomainError):
    status = 503
    detail = "This process is about to end."


@cache
def head_revisions() -> frozenset[str]:
    """The revisions that this release's schema has when it is migrated."""
    return frozenset(ScriptDirectory(MIGRATIONS).get_heads())


@cache
def known_revisions() -> frozenset[str]:
    """Every revision that this release's history has."""
    scripts = ScriptDirectory(MIGRATIONS).walk_revisions()
    return frozenset(script.revision for script in scripts)


def compare_schema(applied: frozenset[str]) -> Schema:
    """A revision that this release does not know was applied by a newer one."""
    if applied == head_revisions():
        return Schema.CURRENT
    return Schema.BEHIND if applied <= known_revisions() else Schema.NEWER


@router.get("/live")
async def live() -> Health:
    """Whether the process answers; restart it when it does not."""
    return Health()


@router.get("/ready", responses=problems(503))
async def ready(request: Request, session: ReadSession) -> Health:
    """Whether to send requests here: the database answers, and its schema is not behind.

    It may be newer: migrations run before the release that needs them, while this one serves.
    """
    if request.app.state.ending:
        raise Ending
    if compare_schema(await session.run_sync(applied_revisions)) is Schema.BEHIND:
        raise SchemaNotReady
    return Health()


@router.get("/pool")
async def pool(database: Annotated[Database, Depends(get_database)]) -> dict[str, PoolStatus]:
    """How busy this process's connections to the database are."""
    return database.pools


def applied_revisions(session: Session) -> frozenset[str]:
    """The revisions that the database is migrated to."""
    connection = session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(select(VERSIONS.c.version_num)))


async def describe(database: Database) -> str:
    """Server, driver, pool and schema in one line. Raises what the driver raises."""
    async with database.read() as session:
        applied = await session.run_sync(applied_revisions)
        dialect = session.get_bind().dialect
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    pools = ", ".join(f"{status.size} ({use})" for use, status in database.pools.items())
    schema = f"{', '.join(sorted(applied)) or 'none'}, {compare_schema(applied)}"
    return f"{name} {version} through {dialect.driver} (async); pool: {pools}; schema: {schema}"
