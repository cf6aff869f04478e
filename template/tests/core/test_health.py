"""Health checks."""

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.health import applied_revisions, head_revisions
from app.core.sessions import ReadOnlySession
from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of


async def test_process_is_live(client: AsyncClient) -> None:
    response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_service_is_ready_when_the_schema_is_current(client: AsyncClient) -> None:
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_service_is_not_ready_before_the_first_migration(unmigrated: Settings) -> None:
    app = create_app(unmigrated)
    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.get("/health/ready")
        assert (response.status_code, response.json()["code"]) == (503, "schema_not_ready")
        assert (await client.get("/health/live")).status_code == 200


async def test_service_is_not_ready_when_the_schema_is_behind(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = head_revisions()
    monkeypatch.setattr("app.core.health.head_revisions", lambda: frozenset({"next"}))
    monkeypatch.setattr("app.core.health.known_revisions", lambda: applied | {"next"})
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()["code"]) == (503, "schema_not_ready")
    assert response.headers["retry-after"] == "5"


async def test_service_stays_ready_when_a_newer_release_has_migrated(
    client: AsyncClient, session: AsyncSession
) -> None:
    await session.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
    await session.commit()
    assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("is_lost", [True, False])
@pytest.mark.real_commits
async def test_failed_query_is_not_mistaken_for_a_missing_table(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    async def fail(*_: object) -> None:
        error = Exception("permission denied")
        raise DBAPIError("", None, error, connection_invalidated=is_lost)

    monkeypatch.setattr(ReadOnlySession, "scalars", fail)
    with pytest.raises(DBAPIError, match="permission denied"):
        await applied_revisions(database)


def test_health_checks_are_last_in_the_documentation(app: FastAPI) -> None:
    paths = list(app.openapi()["paths"])
    assert paths[-3:] == ["/health/live", "/health/ready", "/health/pool"]
