"""Modules that an owner added to a service of 1.0.0, with imports of every form."""

from harness.projects import Project
from tests.updates import owner

# Where 1.0.0 had base classes and types, in each structure.
MODELS = {"flat": "app.models", "layered": "app.models.base", "by_feature": "app.shared.models"}
SCHEMAS = {"flat": "app.schemas", "layered": "app.schemas.base", "by_feature": "app.shared.schemas"}

ROUTES = '''"""Reports."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

import app.errors
import app.slow_queries as slow
from app import health, middleware
from app.database import Database, ReadSession, Session, database_url
from app.database_errors import Kind, classify
from app.errors import DomainError, NotFound
from app.models import Label
from app.pagination import Page, PageParams, PageRead, fetch_page
from app.preconditions import TAG, tag_of
from app.server import spare_garbage_collector as freeze
from app.transactions import transact
from SCHEMAS import Input, Line, Output
from MODELS import Base, utc_now

from .clock import later

if TYPE_CHECKING:
    from SCHEMAS import Moment

logger = logging.getLogger("app.errors")
reports_router = APIRouter(prefix="/reports", tags=["reports"])


class Unreadable(DomainError):
    status = 418
    detail = "It cannot be read."


class ReportCreate(Input):
    name: Line


class ReportRead(Output):
    name: Line


class ReportPageParams(PageParams):
    sort: Literal["name", "-name"] = "name"


NAMED = select(Label).where(Label.name.startswith(bindparam("start")))


@reports_router.post("", status_code=201, response_model=ReportRead)
async def create_report(session: Session, body: ReportCreate) -> Label:
    label = Label(name=body.name)
    session.add(label)
    await session.flush()
    return label


@reports_router.get("", response_model=PageRead[ReportRead])
async def list_reports(
    session: ReadSession, params: Annotated[ReportPageParams, Query()]
) -> Page[Label]:
    return await fetch_page(session, NAMED, Label, params, start="r")


async def count_reports(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Label)) or 0


@reports_router.get("/count")
async def show_count(session: ReadSession) -> int:
    return await count_reports(session)


@reports_router.put("/{name}", response_model=ReportRead)
async def rename_report(request: Request, name: str, body: ReportCreate) -> Label:
    database: Database = request.app.state.database

    async def rename(session: AsyncSession) -> Label:
        label = await session.scalar(select(Label).where(Label.name == name).with_for_update())
        if label is None:
            raise NotFound
        label.name = body.name
        return label

    try:
        return await transact(database, rename)
    except app.errors.NotFound:
        raise
    except Exception as error:
        kind: Kind | None = classify(error)
        if kind is Kind.UNAVAILABLE:
            raise Unreadable from error
        raise


@reports_router.get("/ending")
async def show_ending(request: Request) -> bool:
    """Whether the service is shutting down."""
    from app.logs import current_route as route

    assert route is not None
    if request.app.state.ending:
        raise health.Ending
    return isinstance(health.Ending(), app.errors.DomainError)


def describe(at: Moment) -> str:
    return f"{later(at)} {TAG} {utc_now():%Y} {middleware.wrap.__name__} {Base.__name__}"


__all__ = ["database_url", "describe", "freeze", "logger", "reports_router", "slow", "tag_of"]
'''
CLOCK = '''"""Time of reports."""

from datetime import datetime, timedelta

from ..errors import NotFound  # noqa: TID252


def later(at: datetime) -> datetime:
    """An hour later. Raises `NotFound` before 1970."""
    if at.year < 1970:
        raise NotFound
    return at + timedelta(hours=1)
'''
TESTS = '''"""Reports."""

import logging
from datetime import UTC, datetime

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app import database_errors
from app.database_errors import Kind
from app.models import Label
from app.reports import clock
from app.reports.routes import describe
from app.settings import Settings
from tests.conftest import settings_with
from tests.support import without_server


async def test_reports_are_listed(client: AsyncClient) -> None:
    for name in ("b", "ra", "rb"):
        assert (await client.post("/api/v1/reports", json={"name": name})).status_code == 201
    page = (await client.get("/api/v1/reports", params={"limit": 1})).json()
    assert page["items"] == [{"name": "ra"}]
    page = (await client.get("/api/v1/reports", params={"cursor": page["next_cursor"]})).json()
    assert page["items"] == [{"name": "rb"}]
    assert (await client.get("/api/v1/reports/count")).json() == 3


@pytest.mark.real_commits
async def test_report_is_renamed_again_after_a_conflict(
    client: AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add(Label(name="a"))
    session.add(Label(name="b"))
    await session.commit()
    called = []

    def classify(_: Exception) -> Kind | None:
        called.append(1)
        return Kind.CONFLICT if len(called) == 1 else None

    monkeypatch.setattr("app.transactions.classify", classify)
    response = await client.put("/api/v1/reports/a", json={"name": "b"})
    assert response.status_code == 409
    assert len(called) == 2


async def test_kind_is_looked_up(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_errors, "Kind", Kind)
    monkeypatch.setattr("app.errors.MEDIA_TYPE", "application/json")
    response = await client.put("/api/v1/reports/none", json={"name": "b"})
    assert response.status_code == 404


async def test_ending_is_shown(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "app.errors"):
        assert (await client.get("/api/v1/reports/ending")).json() is True


def test_settings_are_of_the_tests(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    assert settings_with(url).database_url == settings.database_url
    assert "nowhere" in without_server(settings).database_url.get_secret_value()


def test_report_describes_itself() -> None:
    assert describe(datetime(2030, 1, 1, 12, tzinfo=UTC)).startswith("2030-01-01 13:00")
    assert clock.later(datetime(2030, 1, 1, tzinfo=UTC)).hour == 1
'''
SCRIPT = """\
from app.check_database import main

if __name__ == "__main__":
    main()
"""
MAKEFILE = "check:\n\tuv run python -m app.check_database\n"


def add(project: Project, structure: str) -> None:
    """A feature of the owner's own, beside the labels that `owner.add` brings."""
    package = project.folder / "app" / "reports"
    package.mkdir()
    package.joinpath("__init__.py").touch()
    routes = ROUTES.replace("MODELS", MODELS[structure]).replace("SCHEMAS", SCHEMAS[structure])
    package.joinpath("routes.py").write_text(routes)
    package.joinpath("clock.py").write_text(CLOCK)
    project.folder.joinpath("tests", "test_reports.py").write_text(TESTS)
    project.folder.joinpath("scripts").mkdir()
    project.folder.joinpath("scripts", "check.py").write_text(SCRIPT)
    project.folder.joinpath("Makefile").write_text(MAKEFILE)
    api = owner.ALL_ROUTES[structure]
    line = "from app.reports.routes import reports_router\n"
    if structure == "flat":
        text = (project.folder / api).read_text()
        project.folder.joinpath(api).write_text(
            text.replace("from app.models", line + "from app.models", 1)
        )
    else:
        project.replace(api, owner.ROUTERS_LINE, owner.ROUTERS_LINE + line)
    project.replace(api, "    labels_router,\n", "    labels_router,\n    reports_router,\n")
    owner.tidy(project)


def finish_by_hand(project: Project) -> None:
    """What the changelog says that owners change themselves."""
    routes = "app/reports/routes.py"
    project.replace(
        routes,
        "async def count_reports(session: AsyncSession)",
        "async def count_reports(session: Reader)",
    )
    project.replace(
        routes,
        "from app.database import",
        "from app.core.sessions import Reader\nfrom app.database import",
    )
    project.replace(routes, 'startswith(bindparam("start"))', 'startswith("r")')
    project.replace(routes, ', params, start="r")', ", params)")
    project.replace(routes, "import bindparam, func", "import func")
    owner.tidy(project)
