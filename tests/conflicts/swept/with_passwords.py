"""Requests of services with passwords and mail."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import Base, utc_now
from app.core.one_time_tokens import Purpose, create_one_time_token
from app.core.random_secrets import digest_secret
from app.models import User
from tests.core.fixtures import client_of
from tests.fixtures.clients import LOGIN, headers_of, log_in, login_content
from tests.fixtures.passwords import PASSWORD

from .cases import Case

HOUR = timedelta(hours=1)
NEW_PASSWORD = "another horse, another battery"
AUTH = "/api/v1/auth"


async def contents_with_passwords(
    app: FastAPI, session: AsyncSession, user: User
) -> dict[str, dict[str, Any]]:
    """The content of each request about accounts, by operation."""
    version = {"token_version": user.token_version}
    registration = await create_one_time_token(
        session, Purpose.REGISTRATION, HOUR, data={"email": "eve@example.org"}
    )
    reset = await create_one_time_token(
        session, Purpose.PASSWORD, HOUR, user_id=user.id, data=version
    )
    data = {"email": "ada@example.com", **version}
    change = await create_one_time_token(session, Purpose.EMAIL, HOUR, user_id=user.id, data=data)
    await session.commit()
    async with client_of(app) as browser:
        login = await log_in(browser, user.email, PASSWORD)
    log_out: dict[str, Any] = {"headers": headers_of(login)}
    if token := login.json().get("refresh_token"):
        log_out = {"json": {"refresh_token": token}}
    return {
        "POST /api/v1/auth/register": {"json": {"email": "new@example.org"}},
        "POST /api/v1/auth/token": login_content(user.email, PASSWORD),
        "POST /api/v1/auth/login": login_content(user.email, PASSWORD),
        "POST /api/v1/auth/refresh": log_out,
        "POST /api/v1/auth/logout": log_out,
        "POST /api/v1/auth/verify": {
            "json": {
                "token": registration.get_secret_value(),
                "name": "Eve",
                "password": PASSWORD,
            }
        },
        "POST /api/v1/auth/email/confirm": {"json": {"token": change.get_secret_value()}},
        "POST /api/v1/auth/password/forgot": {"json": {"email": user.email}},
        "POST /api/v1/auth/password/reset": {
            "json": {"token": reset.get_secret_value(), "new_password": NEW_PASSWORD}
        },
        "PATCH /api/v1/users/me": {
            "json": {"name": "A", "email": "ada@example.net", "current_password": PASSWORD}
        },
        "POST /api/v1/users/me/password": {
            "json": {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        },
    }


async def cases_with_passwords(app: FastAPI, session: AsyncSession, user: User) -> list[Case]:
    """Requests that fail for other reasons, and change rows."""
    post: dict[str, Any] = {"method": "POST", "headers": {}}
    wrong = post | {"url": LOGIN, **login_content(user.email, "a wrong password")}
    cases = [Case("wrong password", wrong, 401)]
    tokens = Base.metadata.tables.get("refresh_tokens")
    if tokens is not None:
        async with client_of(app) as browser:
            token = (await log_in(browser, user.email, PASSWORD)).json()["refresh_token"]
        used = tokens.c.digest == digest_secret(token)
        await session.execute(update(tokens).where(used).values(used_at=utc_now() - HOUR))
        stolen = post | {"url": f"{AUTH}/refresh", "json": {"refresh_token": token}}
        cases.append(Case("a stolen refresh token", stolen, 401))
    return cases
