"""Probes."""

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.health import head_revisions
from app.factory import create_app
from app.settings import Settings


async def test_process_is_live(client: AsyncClient) -> None:
    response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_service_is_ready_when_its_schema_is_at_head(client: AsyncClient) -> None:
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_service_is_not_ready_before_the_first_migration(unmigrated: Settings) -> None:
    app = create_app(unmigrated)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200


async def test_service_is_not_ready_when_its_schema_is_behind(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = head_revisions()
    monkeypatch.setattr("app.core.health.head_revisions", lambda: frozenset({"next"}))
    monkeypatch.setattr("app.core.health.known_revisions", lambda: applied | {"next"})
    response = await client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["code"] == "schema_not_ready"
    assert response.headers["retry-after"] == "5"


async def test_service_stays_ready_when_a_newer_release_has_migrated(
    client: AsyncClient, session: AsyncSession
) -> None:
    await session.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
    await session.commit()
    assert (await client.get("/health/ready")).status_code == 200
