"""The service stops while a language model, which was paid in advance, has not answered yet."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from harness.language_models import fake_language_model
from harness.rendering import render
from harness.running import Running, database, serving, succeed_in
from harness.services import Service
from harness.waiting import eventually


def credits_of(running: Running) -> int:
    [budget] = running.call("GET", "/api/v1/budgets")["items"]
    return int(budget["credits"])


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy", "aiosqlite"))
def test_shutdown_returns_the_credits_of_answers_that_did_not_arrive(
    driver: str, template: Path, tmp_path: Path
) -> None:
    folder = render(template, tmp_path / "service", driver=driver, examples=["assistant"])
    service = Service(folder, Path(sys.prefix))
    with database(service) as url, fake_language_model(tmp_path, seconds=60) as model_url:
        succeed_in(service, url, "alembic", "upgrade", "head")
        settings = {"assistant_url": model_url, "assistant_models": ["one", "two"]}
        with serving(service, url, **settings) as running, ThreadPoolExecutor(1) as threads:
            budget = running.call(
                "POST", "/api/v1/budgets", {"name": "A", "credits": 9}, status=201
            )
            body = {"budget_id": budget["id"], "text": "Why?"}
            prompt = running.call("POST", "/api/v1/prompts", body, status=201)
            asking = threads.submit(running.client.post, f"/api/v1/prompts/{prompt['id']}/answers")
            eventually(lambda: credits_of(running) == 7)
            running.process.send_signal(signal.SIGTERM)
            eventually(lambda: "Shutting down" in running.log)
            # The second signal ends the process without waiting for requests.
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(30) == 0
            with suppress(httpx2.TransportError):
                assert asking.result().status_code == 503
        with serving(service, url, **settings) as running:
            assert credits_of(running) == 9
