"""Errors that tests raise in an endpoint."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.errors import add_error_handlers

# A value that looks like the name of a constraint in the message of a database.
TAKEN = "x' for key 'secret', CONSTRAINT `secret`"


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
    """Return the error that inserting a row raises."""
    session.add(row)
    with pytest.raises(SQLAlchemyError) as caught:
        await session.flush()
    await session.rollback()
    return caught.value
