"""Errors: what each becomes for the caller."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from app.database_errors import Kind, classify, violated_field
from app.errors import add_error_handlers
from app.models import Project, Task


@pytest.fixture
async def failing() -> AsyncIterator[tuple[AsyncClient, list[Exception]]]:
    """A client of an application that raises the error which a test puts into the list."""
    app = FastAPI()
    add_error_handlers(app)
    errors: list[Exception] = []

    @app.get("/")
    async def fail() -> None:
        raise errors[0]

    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client, errors


async def error_of(session: AsyncSession, row: Any) -> SQLAlchemyError:
    """What the database says to a row."""
    session.add(row)
    with pytest.raises(SQLAlchemyError) as caught:
        await session.flush()
    await session.rollback()
    return caught.value


def task_with(project: Project, **values: Any) -> Task:
    return Task(
        **{"project_id": project.id, "title": "x", "status": "todo", "priority": 1} | values
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"project_id": uuid4()}, Kind.FOREIGN_KEY),
        ({"priority": 6}, Kind.CHECK),
        ({"title": None}, Kind.NOT_NULL),
        ({"priority": 2**70}, Kind.BAD_VALUE),
        ({"title": "\ud800"}, Kind.BAD_VALUE),
        ({"due_at": datetime(2030, 1, 1)}, Kind.BAD_VALUE),  # noqa: DTZ001
        ({"due_at": "tomorrow"}, None),
    ],
)
async def test_row_that_the_database_refuses_is_classified(
    session: AsyncSession, project: Project, values: dict[str, Any], kind: Kind | None
) -> None:
    error = await error_of(session, task_with(project, **values))
    assert classify(error) is kind


async def test_taken_value_is_told_with_its_field(session: AsyncSession, project: Project) -> None:
    values = {"name": project.name, "description": ""}
    if owner_id := getattr(project, "owner_id", None):
        values["owner_id"] = owner_id
    error = await error_of(session, Project(**values))
    assert classify(error) is Kind.UNIQUE
    assert violated_field(error) == "name"


async def test_mistake_of_our_own_is_not_blamed_on_the_caller(session: AsyncSession) -> None:
    with pytest.raises(DBAPIError) as caught:
        await session.execute(text("SELECT nothing FROM nowhere"))
    assert classify(caught.value) is None
    assert violated_field(caught.value) is None


def test_error_of_something_else_has_no_kind() -> None:
    assert classify(ValueError()) is None


def test_lost_connection_is_unavailable() -> None:
    assert classify(DBAPIError("", None, Exception(), connection_invalidated=True)) is (
        Kind.UNAVAILABLE
    )


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PoolTimeout(), 503, "unavailable"),
        (StaleDataError(), 409, "stale"),
        (DBAPIError("SELECT secret", None, Exception("secret")), 500, "internal_server_error"),
        (RuntimeError("secret"), 500, "internal_server_error"),
    ],
)
async def test_error_is_answered_with_a_problem(
    failing: tuple[AsyncClient, list[Exception]], error: Exception, status: int, code: str
) -> None:
    client, errors = failing
    errors.append(error)
    response = await client.get("/")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.json()["status"], response.json()["code"]) == (status, code)
    assert "secret" not in response.text


async def test_unknown_path_and_method_are_problems_too(client: AsyncClient) -> None:
    for method, path, status in [("GET", "/nowhere", 404), ("PUT", "/health/live", 405)]:
        response = await client.request(method, path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"


async def test_body_that_is_not_json_is_a_problem(client: AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post("/api/v1/projects", content=b"{", headers=headers)
    assert response.status_code == 422


async def test_field_that_utf8_cannot_express_is_answered(client: AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    body = rb'{"name": "x", "\ud800": 1}'
    response = await client.post("/api/v1/projects", content=body, headers=headers)
    assert response.status_code == 422
