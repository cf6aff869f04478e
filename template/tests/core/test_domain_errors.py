"""Reasons of domain errors: clients do not see them, and those of the server are logged."""

import pytest
from fastapi import FastAPI

from app.core.errors import DomainError, add_error_handlers
from tests.core.fixtures import client_of


class PaymentFailed(DomainError):
    status = 502
    detail = "The payment failed."


class AlreadyPaid(DomainError):
    status = 409
    detail = "The order is already paid."


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (PaymentFailed("card\ndeclined"), ["payment_failed: card declined"]),
        (PaymentFailed(), []),
        (AlreadyPaid("by card"), []),
    ],
)
async def test_reason_of_a_server_error_is_logged_but_not_sent(
    caplog: pytest.LogCaptureFixture, error: DomainError, logged: list[str]
) -> None:
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    async with client_of(app) as client:
        response = await client.get("/")
    assert (response.status_code, response.json()["detail"]) == (error.status, error.detail)
    assert "card" not in response.text
    assert [each.message for each in caplog.records if each.name.startswith("app.")] == logged
