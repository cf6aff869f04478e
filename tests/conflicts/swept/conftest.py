"""Fixtures: mails that a worker sends, an endpoint with a limit, and the rows of the database."""

import pytest
from fastapi import APIRouter, FastAPI

from app.core.rate_limits import limit
from app.database import Database

from .rows import Snapshot

router = APIRouter()


@router.post("/limited", dependencies=[limit("100/minute", "1000/day")])
async def limited() -> str:
    """Uses the database only to count its requests."""
    return "Counted"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.real_commits)


@pytest.fixture(autouse=True)
def mails() -> None:
    """Let requests enqueue mails: the fixture with this name composes them at once."""


@pytest.fixture(scope="session")
async def app(app: FastAPI) -> FastAPI:
    app.include_router(router)
    return app


@pytest.fixture
def snapshot(app: FastAPI, database: Database) -> Snapshot:
    """The rows before each fault."""
    return Snapshot(app.state.settings, database)
