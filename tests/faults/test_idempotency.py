"""Requests with an `Idempotency-Key` have one effect, also if the process is killed."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

import httpx2
import pytest

from harness.language_models import fake_language_model
from harness.rendering import render
from harness.running import SERVE, Running, alembic, database, serving
from harness.services import Service
from harness.waiting import eventually

TRANSFERS = "/api/v1/budgets/transfers"
DUPLICATES = 32
KEYS = 10
# Keys of killed requests expire after 12 seconds.
SETTINGS: dict[str, Any] = {"shutdown_timeout": 2, "assistant_timeout": 1}

on_each_driver = pytest.mark.drivers(
    "asyncpg", further=("psycopg", "aiomysql", "asyncmy", "aiosqlite")
)

# Kills the process before or after the transaction with the effect and the response is committed.
KILLED = """
import os, signal
from app.core import idempotency

commit = idempotency.Idempotency._commit
store = idempotency.store_response

async def die_after(function, *arguments):
    await function(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

async def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

async def commit_and_die(*arguments):
    await die_after(commit, *arguments)

async def store_and_die(*arguments):
    await die_after(store, *arguments)
"""
KILLED_AFTER_COMMIT = KILLED + "idempotency.Idempotency._commit = commit_and_die\n" + SERVE
# Before the transaction of `Session`, and after that of an endpoint that commits by itself.
KILLED_AFTER_EFFECT = KILLED + "idempotency.Idempotency._commit = die\n" + SERVE
KILLED_BEFORE_COMMIT = KILLED + "idempotency.store_response = store_and_die\n" + SERVE


@dataclass
class Deployment:
    """A migrated service with two budgets, of which the first one is rich."""

    service: Service
    url: str
    ids: tuple[str, str]

    @property
    def transfer(self) -> dict[str, Any]:
        return {"source_id": self.ids[0], "target_id": self.ids[1], "credits": 1}

    def moved(self, running: Running) -> int:
        """How many credits the second budget got."""
        items = running.call("GET", "/api/v1/budgets")["items"]
        found = {item["name"]: int(item["credits"]) for item in items}
        assert found["Rich"] + found["Poor"] == 1001
        return found["Poor"] - 1


@pytest.fixture
def deployment(driver: str, template: Path, tmp_path: Path) -> Iterator[Deployment]:
    folder = render(template, tmp_path / "service", driver=driver, examples=["assistant"])
    service = Service(folder, Path(sys.prefix))
    with database(service) as url:
        alembic(service, url, "upgrade head")
        with serving(service, url, **SETTINGS) as running:
            budgets = [
                running.call("POST", "/api/v1/budgets", body, status=201)["id"]
                for body in ({"name": "Rich", "credits": 1000}, {"name": "Poor", "credits": 1})
            ]
        yield Deployment(service, url, (budgets[0], budgets[1]))


def post(running: Running, path: str, key: str, body: Any = None) -> httpx2.Response:
    return running.client.post(path, json=body, headers={"Idempotency-Key": key})


@on_each_driver
def test_transfer_of_a_killed_process_is_made_once(deployment: Deployment) -> None:
    service, url, body = deployment.service, deployment.url, deployment.transfer
    variables = {**SETTINGS, "shutdown_timeout": 600}  # keys expire later than this test ends
    for program, key in ((KILLED_AFTER_COMMIT, "committed"), (KILLED_BEFORE_COMMIT, "rolled back")):
        with serving(service, url, ("-c", program), **variables) as running:
            with pytest.raises(httpx2.TransportError):
                post(running, TRANSFERS, key, body)
            running.process.wait(10)
    with serving(service, url, **variables) as running:
        assert deployment.moved(running) == 1
        replayed = post(running, TRANSFERS, "committed", body)
        assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (200, "true")
        in_flight = post(running, TRANSFERS, "rolled back", body)
        assert in_flight.json()["code"] == "idempotency_in_flight"
        expire_keys(deployment)
        assert post(running, TRANSFERS, "rolled back", body).status_code == 200
        assert deployment.moved(running) == 2


@pytest.mark.nightly
@on_each_driver
def test_key_of_a_process_that_was_killed_while_it_asked_a_model_can_be_used_again(
    deployment: Deployment, tmp_path: Path
) -> None:
    service, url = deployment.service, deployment.url
    models = {"assistant_models": ["one", "two"]}
    slow = tmp_path / "slow"
    slow.mkdir()
    with fake_language_model(slow, seconds=60) as model_url:
        variables = {**SETTINGS, **models, "assistant_url": model_url, "assistant_timeout": 60}
        variables["shutdown_timeout"] = 61
        with serving(service, url, **variables) as running, ThreadPoolExecutor(1) as threads:
            body = {"budget_id": deployment.ids[0], "text": "Why?"}
            prompt = running.call("POST", "/api/v1/prompts", body, status=201)
            path = f"/api/v1/prompts/{prompt['id']}/answers"
            asking = threads.submit(post, running, path, "a")
            eventually(lambda: rich(running) == 998)
            in_flight = post(running, path, "a")
            assert (in_flight.status_code, in_flight.headers["retry-after"]) == (409, "1")
            kill(running)
            with suppress(httpx2.TransportError):
                asking.result()
    with fake_language_model(tmp_path, seconds=0) as model_url:
        variables = {**SETTINGS, **models, "assistant_url": model_url}
        with serving(service, url, **variables) as running:
            assert post(running, path, "a").json()["code"] == "idempotency_in_flight"
            expire_keys(deployment)
            created = post(running, path, "a")
            replayed = post(running, path, "a")
            assert (created.status_code, replayed.content) == (201, created.content)
            found = running.call("GET", path)["items"]
            assert [answer["id"] for answer in found] == [each["id"] for each in created.json()]
            # The credits of the killed request are lost, as without a key.
            assert rich(running) == 996


@pytest.mark.nightly
@on_each_driver
def test_answers_of_a_process_that_was_killed_after_their_commit_are_paid_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    service, url = deployment.service, deployment.url
    with fake_language_model(tmp_path, seconds=0) as model_url:
        variables = {**SETTINGS, "assistant_models": ["one", "two"], "assistant_url": model_url}
        with serving(service, url, ("-c", KILLED_AFTER_EFFECT), **variables) as running:
            body = {"budget_id": deployment.ids[0], "text": "Why?"}
            prompt = running.call("POST", "/api/v1/prompts", body, status=201)
            path = f"/api/v1/prompts/{prompt['id']}/answers"
            with pytest.raises(httpx2.TransportError):
                post(running, path, "a")
            running.process.wait(10)
        with serving(service, url, **variables) as running:
            assert rich(running) == 998
            replayed = post(running, path, "a")
            assert (replayed.status_code, len(replayed.json())) == (201, 2)
            assert replayed.headers["idempotency-replayed"] == "true"
            assert rich(running) == 998


@pytest.mark.nightly
@on_each_driver
def test_duplicates_have_one_effect_while_a_process_is_killed(
    deployment: Deployment, record_property: Callable[[str, object], None]
) -> None:
    sent: Counter[str] = Counter()
    with (
        serving(deployment.service, deployment.url, **SETTINGS) as first,
        serving(deployment.service, deployment.url, **SETTINGS) as second,
        ThreadPoolExecutor(DUPLICATES) as threads,
    ):

        def send(number: int) -> bytes:
            """Send a transfer to either process, until there is a response to it."""
            running = Random(number).choice([first, second])
            while True:
                try:
                    response = post(running, TRANSFERS, f"key {number % KEYS}", deployment.transfer)
                except httpx2.TransportError:
                    sent["cut"] += 1
                    running = second
                    continue
                replayed = " replayed" * ("idempotency-replayed" in response.headers)
                sent[f"{response.status_code}{replayed}"] += 1
                if response.status_code == 200:
                    return response.content
                assert response.status_code in (409, 503), response.text
                sleep(0.1)

        results = [threads.submit(send, number) for number in range(KEYS * DUPLICATES)]
        eventually(lambda: sent.total() > DUPLICATES)
        kill(first)
        contents = {result.result() for result in results}
        assert deployment.moved(second) == KEYS
    print("Requests:", dict(sent))
    record_property("requests", dict(sent))
    assert len(contents) == KEYS


def rich(running: Running) -> int:
    items = running.call("GET", "/api/v1/budgets")["items"]
    return int(next(item["credits"] for item in items if item["name"] == "Rich"))


def kill(running: Running) -> None:
    running.process.kill()
    running.process.wait(10)


def expire_keys(deployment: Deployment) -> None:
    """Let the keys of killed requests expire."""
    program = (
        "import asyncio; from sqlalchemy import update; from app.database import Database;"
        "from app.core.idempotency_keys import IdempotencyKey; from app.core.models import utc_now;"
        "from app.settings import Settings\n"
        "async def expire():\n"
        "    database = Database(Settings())\n"
        "    async with database.write.begin() as session:\n"
        "        await session.execute(update(IdempotencyKey).values(expires_at=utc_now()))\n"
        "    await database.dispose()\n"
        "asyncio.run(expire())"
    )
    deployment.service.succeed(
        sys.executable, "-c", program, DATABASE_URL=deployment.url, ENVIRONMENT="test"
    )
