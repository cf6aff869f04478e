"""The slow-query log."""

import logging

import pytest
from fastapi import FastAPI
from sqlalchemy import literal, select, text
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.database import Database
from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of
from tests.core.things import router


def with_threshold(settings: Settings, seconds: float) -> Settings:
    return settings.model_copy(update={"slow_query_seconds": seconds})


async def test_slow_statement_is_logged_with_duration_and_route(
    app: FastAPI, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(with_threshold(settings, 1e-9))
    app.include_router(router)
    async with (
        app.router.lifespan_context(app),
        client_of(app) as client,
    ):
        thing_id = "01890000-0000-7000-8000-000000000000"
        await client.get(f"/things/{thing_id}")
    lines = [r.getMessage() for r in caplog.records if r.name == "app.core.slow_queries"]
    [line] = [line for line in lines if "FROM things" in line]
    assert " s in GET /things/{thing_id}: SELECT things.id" in line
    assert thing_id not in line
    assert any(" s in no request: " in line for line in lines)


async def test_fast_statement_is_not_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "app")
    for seconds in (0, 3600):
        database = Database(with_threshold(settings, seconds))
        async with database.write() as session:
            await session.execute(text("SELECT 1"))
        await database.dispose()
    assert "SELECT 1" not in caplog.text


async def test_request_without_a_route_is_logged_with_its_path(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(with_threshold(settings, 1e-9))
    database: Database = app.state.database

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        async with database.read() as session:
            await session.scalar(select(literal(1)))
        await Response()(scope, receive, send)

    app.mount("/mounted", mounted)
    async with client_of(app) as client:
        await client.get("/mounted/here")
        await client.get(f"/mounted/{'x' * 10_000}")
    await database.dispose()
    assert " s in GET /mounted/here: SELECT" in caplog.text
    assert "xxx… (9809 more): SELECT" in caplog.text


async def test_failed_statement_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(with_threshold(settings, 1e-9))
    with pytest.raises(DBAPIError):
        async with database.write() as session:
            await session.execute(text("SELECT nothing FROM nowhere"))
    await database.dispose()
    assert " s (failed) in no request: SELECT nothing FROM nowhere" in caplog.text
