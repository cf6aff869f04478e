"""The causes of error responses in the log."""

import logging
import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi.exceptions import RequestValidationError
from httpx2 import AsyncClient
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from app.core.errors import DomainError, NotFound
from app.core.health import ShuttingDown
from tests.core.failing import TAKEN, error_of
from tests.core.things import Thing

# The class of the driver's error, and its code.
CAUSE = r"\(\w+(Error|Violation) (SQLITE_CONSTRAINT_[A-Z]+|\d{4,5})\)"
FORBIDDEN = {"type": "extra_forbidden", "loc": ("body", "secret"), "msg": "not permitted"}
NO_PLACE = {"type": "own", "loc": (), "msg": "invalid"}


class NameTaken(DomainError):
    status = 409
    detail = "The name is taken."


@pytest.mark.parametrize(
    ("values", "logged"),
    [
        ({"name": TAKEN}, rf"unique {CAUSE}: (uq_things_name|things\.name)\n"),
        ({"name": None}, rf"not_null {CAUSE}: (things\.)?name\n"),
        ({"note": "secret", "size": 6}, rf"check {CAUSE}: ck_things_size\n"),
        ({"note": "secret", "parent_id": uuid4()}, rf"foreign_key {CAUSE}: "),
        ({"note": "secret", "size": 2**70}, "INSERT INTO things"),
        ({"note": "secret\ud800"}, "INSERT INTO things"),
    ],
)
async def test_log_names_what_was_refused_but_no_value(
    session: AsyncSession,
    failing: tuple[AsyncClient, list[Exception]],
    caplog: pytest.LogCaptureFixture,
    values: dict[str, Any],
    logged: str,
) -> None:
    client, errors = failing
    session.add(Thing(name=TAKEN))
    await session.commit()
    errors.append(await error_of(session, Thing(**{"name": "y"} | values)))
    caplog.set_level(logging.INFO, "app")
    assert (await client.get("/")).status_code in {409, 422}
    assert re.search(logged, caplog.text)
    assert "secret" not in caplog.text
    assert str(2**70) not in caplog.text


@pytest.mark.parametrize(
    ("error", "context", "logged"),
    [
        (NameTaken(), None, "name_taken"),
        (NameTaken(), ValueError("secret"), "name_taken"),
        (NameTaken(), PoolTimeout("secret"), "name_taken (TimeoutError): unknown"),
        (ShuttingDown(), None, "ending"),
        (HTTPException(409, "secret"), None, "conflict"),
        (StaleDataError("UPDATE of\n things"), None, "stale: UPDATE of things"),
        (
            RequestValidationError([FORBIDDEN, FORBIDDEN, NO_PLACE]),
            None,
            "invalid_request: extra_forbidden in body, own in request",
        ),
        (NotFound(), None, None),
        (HTTPException(404), None, None),
    ],
)
async def test_log_has_the_cause_of_a_conflict_and_of_an_invalid_request(
    failing: tuple[AsyncClient, list[Exception]],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    context: Exception | None,
    logged: str | None,
) -> None:
    client, errors = failing
    error.__context__ = context
    errors.append(error)
    caplog.set_level(logging.INFO, "app")
    await client.get("/")
    assert caplog.messages == ([logged] if logged else [])
