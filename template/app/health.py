"""Probes: `live` says that the process answers, `ready` that it can serve."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import column, inspect, select, table
from sqlalchemy.orm import Session as SyncSession

from app.database import ReadSession
from app.errors import DomainError, problems

MIGRATIONS = Path(__file__).parent.parent / "migrations"
VERSIONS = table("alembic_version", column("version_num"))

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    status: str = "ok"


class SchemaNotReady(DomainError):
    status = 503
    detail = "The database's schema is not the one of this release: run `alembic upgrade head`."
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


def head_revisions() -> frozenset[str]:
    """The revisions that this release's schema has when it is migrated."""
    return frozenset(ScriptDirectory(MIGRATIONS).get_heads())


@router.get("/live")
async def live() -> Health:
    """Whether the process answers; restart it when it does not."""
    return Health()


@router.get("/ready", responses=problems(503))
async def ready(request: Request, session: ReadSession) -> Health:
    """Whether the database answers and has this release's schema; send requests only then."""
    if await session.run_sync(_applied_revisions) != request.app.state.head_revisions:
        raise SchemaNotReady
    return Health()


def _applied_revisions(session: SyncSession) -> frozenset[str]:
    if not inspect(session.connection()).has_table("alembic_version"):
        return frozenset()
    return frozenset(session.scalars(select(VERSIONS.c.version_num)))
