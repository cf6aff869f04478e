"""A request to each operation that writes, and requests that fail for other reasons."""

from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.models import Base, utc_now
from app.models import User
from tests.authorization import rows_of
from tests.core.operations import operations_of
from tests.fixtures.api_keys import create_key

from .rows import EXPIRED

WITH_PASSWORDS = find_spec("tests.fixtures.passwords") is not None
KEY = {"idempotency-key": "the key of this request"}


@dataclass(frozen=True)
class Case:
    """A request, and the status of its response without a fault."""

    name: str
    request: dict[str, Any]  # arguments of `AsyncClient.request`
    status: int | None = None  # any success
    models_fail: bool = False

    @property
    def has_key(self) -> bool:
        """Whether it has an idempotency key."""
        return KEY.items() <= self.request["headers"].items()

    def with_key(self) -> "Case":
        """The case with an idempotency key."""
        headers = self.request["headers"] | KEY
        return replace(
            self, name=f"{self.name} with a key", request=self.request | {"headers": headers}
        )


async def cases_of(
    app: FastAPI,
    session: AsyncSession,
    user: User,
    other_user: User,
    headers: dict[str, str],
    admin_headers: dict[str, str],
) -> list[Case]:
    """Create rows, and return the requests about them."""
    rows = await rows_of(session, user)
    source, target = (str(rows[f"TransferCreate.{name}_id"]) for name in ("source", "target"))
    key = await create_key(session, user)
    contents: dict[str, dict[str, Any]] = {
        "PATCH /api/v1/users/{user_id}": {
            "json": {"closed": True},
            "headers": admin_headers,
            "url": f"/api/v1/users/{other_user.id}",
        },
        "POST /api/v1/projects": {"json": {"name": "Meadow"}},
        "POST /api/v1/stations": {"json": {"name": "Quay"}},
        "POST /api/v1/budgets/transfers": {
            "json": {"source_id": source, "target_id": target, "credits": 1}
        },
    }
    further: list[Case] = []
    if WITH_PASSWORDS:
        from .with_passwords import cases_with_passwords, contents_with_passwords

        contents |= await contents_with_passwords(app, session, user)
        further = await cases_with_passwords(app, session, user)
    cases = []
    for operation in operations_of(app):
        if operation.method == "GET":
            continue
        name = str(operation)
        places = operation.keys(rows)
        request = operation.request({place: rows[key] for place, key in places.items()})
        request |= contents.get(name, {})
        given = {header.lower(): value for header, value in request["headers"].items()}
        request["headers"] = headers | given
        request["headers"].pop("if-match", None)
        cases.append(Case(name, request))
        if "idempotency-key" in operation.headers:
            cases.append(cases[-1].with_key())
    by_name = {case.name: case for case in cases}
    project = by_name["POST /api/v1/projects"]
    cases.append(replace(project, name="an API key", request=project.request | {"headers": key}))
    transfer = by_name["POST /api/v1/budgets/transfers"].request
    too_much = transfer | {"json": transfer["json"] | {"credits": 1000}}
    cases.append(Case("too few credits", too_much, 409).with_key())
    ask = by_name["POST /api/v1/prompts/{prompt_id}/answers"].request
    no_answer = Case("no answer", ask, 502, models_fail=True)
    cases += [no_answer, no_answer.with_key()]
    # The first request of a caller deletes some expired counters.
    for name in ("login_attempts", "rate_limits"):
        if (table := Base.metadata.tables.get(name)) is not None:
            await session.execute(delete(table))
            expired = {
                "digest": EXPIRED,
                "attempts": 1,
                "expires_at": utc_now() - timedelta(hours=1),
            }
            await session.execute(insert(table), expired)
    await session.commit()
    return cases + further
