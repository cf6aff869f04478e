"""The update that adds idempotency keys to a service with the assistant, by a migration."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from harness.parts import nightly
from harness.projects import Template
from harness.running import Running, alembic, database, serving
from harness.services import InEnvironment
from harness.variants import DRIVERS, ONE_EACH
from tests.updates import owner
from tests.updates.deployments import log_in, serving_previous, updated_copy


def settle(running: Running) -> dict[str, Any]:
    """Create two budgets; return a transfer between them."""
    ids = [
        running.call("POST", "/api/v1/budgets", {"name": name, "credits": 10}, status=201)["id"]
        for name in ("Garden", "Pond")
    ]
    return {"source_id": ids[0], "target_id": ids[1], "credits": 1}


def credits_of(running: Running) -> dict[str, int]:
    items = running.call("GET", "/api/v1/budgets")["items"]
    return {item["name"]: item["credits"] for item in items}


@pytest.mark.parametrize(
    ("version", "driver", "auth"),
    [
        ("2.6.0", "aiosqlite", "none"),
        *(nightly("2.6.0", driver, "jwt") for driver in DRIVERS),
        *(nightly("2.6.0", driver, "none") for driver in DRIVERS if driver != "aiosqlite"),
        *(nightly("1.0.0", driver, auth) for driver in DRIVERS for auth in ("none", "jwt")),
    ],
)
def test_unchanged_answers_add_keys_while_the_previous_release_serves(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    version: str,
    driver: str,
    auth: str,
) -> None:
    answers = {"driver": driver, "auth": auth, "examples": ["assistant"]}
    old, project, message = updated_copy(upstream, tmp_path, in_environment, answers, version)
    assert "_idempotency.py  review it: it follows " in message
    new = in_environment(project.folder)
    with database(new) as url:
        with serving_previous(old, url, auth) as previous:
            transfer = settle(previous)
            alembic(new, url, "upgrade head", "check")
            previous.call("POST", "/api/v1/budgets/transfers", transfer)
        with serving(new, url) as first, serving(new, url) as second:
            for running in (first, second):
                if auth == "jwt":
                    log_in(running, "ada")
                running.client.headers["Idempotency-Key"] = "0198c1de-6e2f-7c53-a3c4-5f0e5d1f3b11"
            moved = first.call("POST", "/api/v1/budgets/transfers", transfer)
            assert second.call("POST", "/api/v1/budgets/transfers", transfer) == moved
            assert credits_of(second) == {"Garden": 8, "Pond": 12}
        alembic(new, url, "downgrade 0001", "upgrade head", "check")
        with serving(new, url) as running:
            if auth == "jwt":
                log_in(running, "ada")
            assert credits_of(running) == {"Garden": 8, "Pond": 12}


@pytest.mark.nightly
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("auth", ["none", "jwt"])
def test_request_to_the_previous_release_is_not_repeated_by_the_next_one(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str, auth: str
) -> None:
    answers = {"driver": driver, "auth": auth, "examples": ["assistant"]}
    old, project, _ = updated_copy(upstream, tmp_path, in_environment, answers, "2.7.0")
    new = in_environment(project.folder)
    with database(new) as url, serving_previous(old, url, auth) as previous:
        transfer = settle(previous)
        alembic(new, url, "upgrade head", "check")
        with serving(new, url) as following:
            following.client.headers.update(previous.client.headers)
            for first, second in ((previous, following), (following, previous)):
                key = {"Idempotency-Key": uuid4().hex}
                path = "/api/v1/budgets/transfers"
                moved = first.client.post(path, json=transfer, headers=key).raise_for_status()
                repeated = second.client.post(path, json=transfer, headers=key)
                assert repeated.headers["Idempotency-Replayed"] == "true"
                assert repeated.content == moved.content
            assert credits_of(following) == {"Garden": 8, "Pond": 12}


@pytest.mark.parametrize("driver", [nightly(driver) for driver in ONE_EACH])
@pytest.mark.parametrize("previous", [{"idempotency": True}, {"idempotency": False}])
def test_accounts_are_added_to_a_service_with_or_without_keys(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    driver: str,
    previous: dict[str, bool],
) -> None:
    answers = {"driver": driver, "examples": [], **previous}
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, answers, auth="jwt", idempotency=True
    )
    assert ("_idempotency.py" in message) is not previous["idempotency"]
    owner.append(project, ".env", "SECRET_KEY=development-secret-of-the-tests-alone\n")
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        alembic(new, url, "upgrade head", "check", "downgrade 0001", "upgrade head", "check")
    with database(new) as url:
        alembic(new, url, "upgrade head", "check")
