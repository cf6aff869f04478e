"""Idempotency keys and rate limits of requests to two nodes."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from harness.galera import Node
from harness.rendering import render
from harness.running import Running, alembic, serving
from harness.services import Service
from tests.real.galera.cluster import drivers, urls

BUDGETS = "/api/v1/budgets"
TRANSFERS = f"{BUDGETS}/transfers"
KEYS = 10
DUPLICATES = 32
LIMIT = 50
ROUNDS = 20  # each begins with the first request of a window, which also deletes expired rows
LIMITED = f'''

from app.core.rate_limits import limit  # noqa: E402


@app.get("/limited", dependencies=[limit("{LIMIT}/hour")])
async def limited() -> None:
    pass
'''


@dataclass
class OnTwoNodes:
    """A service with keys and limits: a process on each of two nodes."""

    processes: tuple[Running, Running]
    database: str
    sent: Counter[str]

    def send(self, number: int, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Send a request to one of the processes until it is not a conflict."""
        client = self.processes[number % 2].client
        while True:
            response = client.request(method, path, **arguments)
            replayed = " replayed" * ("idempotency-replayed" in response.headers)
            self.sent[f"{response.status_code}{replayed}"] += 1
            if response.status_code not in (409, 503):
                return response
            assert response.headers["Retry-After"] == "1", response.text
            sleep(0.05)


@pytest.fixture
def service(
    cluster: list[Node], template: Path, tmp_path: Path, driver: str
) -> Iterator[OnTwoNodes]:
    folder = tmp_path / "service"
    render(template, folder, driver=driver, examples=["assistant"], rate_limits=True)
    main = folder / "app" / "main.py"
    main.write_text(main.read_text() + LIMITED)
    made = Service(folder, Path(sys.prefix))
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    here, other = urls(cluster[:2], name)
    alembic(made, here, "upgrade head")
    with serving(made, here) as one, serving(made, other) as two:
        yield OnTwoNodes((one, two), name, Counter())


@drivers
def test_duplicates_on_two_nodes_have_one_effect(
    service: OnTwoNodes, driver: str, noted: Callable[[str], None]
) -> None:
    ids = [
        service.send(0, "POST", "/api/v1/budgets", json={"name": name, "credits": 1000}).json()[
            "id"
        ]
        for name in ("From", "To")
    ]
    service.sent.clear()
    body = {"source_id": ids[0], "target_id": ids[1], "credits": 1}

    def transfer(number: int) -> bytes:
        headers = {"Idempotency-Key": f"key {number % KEYS}"}
        response = service.send(number // KEYS, "POST", TRANSFERS, json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.content

    with ThreadPoolExecutor(DUPLICATES) as threads:
        contents = {*threads.map(transfer, range(KEYS * DUPLICATES))}
    budgets = service.processes[0].call("GET", BUDGETS)["items"]
    assert {item["name"]: item["credits"] for item in budgets} == {
        "From": 1000 - KEYS,
        "To": 1000 + KEYS,
    }
    assert len(contents) == KEYS
    noted(f"{driver}, {KEYS} keys, {DUPLICATES} times each, on two nodes: {dict(service.sent)}")


@drivers
def test_limit_of_requests_holds_on_two_nodes_together(
    cluster: list[Node], service: OnTwoNodes, driver: str, noted: Callable[[str], None]
) -> None:
    def request(number: int) -> int:
        return service.send(number, "GET", "/limited").status_code

    for _ in range(ROUNDS):
        cluster[0].execute("DELETE FROM rate_limits", database=service.database)
        with ThreadPoolExecutor(16) as threads:
            statuses = Counter(threads.map(request, range(4 * LIMIT)))
        assert statuses == {200: LIMIT, 429: 3 * LIMIT}
    noted(f"{driver}, {ROUNDS} times {LIMIT} requests on two nodes: {dict(service.sent)}")
