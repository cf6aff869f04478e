"""nginx in front of a service, with the configuration of docs/operating.md and compression."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.nginx import Nginx, running_nginx, version
from harness.rendering import render
from harness.running import Running, alembic, database, serving, settings
from harness.services import Service
from harness.variants import Variant
from harness.waiting import eventually

API = "/api/v1"
VARIANT = Variant(
    "asyncpg",
    examples=("projects", "measurements", "assistant"),
    idempotency=True,
    jobs="database",
)
SOCKET = """

from fastapi import WebSocket  # noqa: E402


@app.websocket("/socket")
async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()
"""
# As Debian's nginx.conf, and the types that it has as a comment.
COMPRESSED = """
    gzip on;
    gzip_proxied any;
    gzip_min_length 1;
    gzip_types application/json text/event-stream;
"""


@pytest.fixture(autouse=True)
def noted(tested: Callable[[str, str], None]) -> None:
    tested("nginx", version())


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("nginx") / "service"
    service = Service(render(template, folder, **VARIANT.answers), Path(sys.prefix))
    main = folder / "app" / "main.py"
    main.write_text(main.read_text() + SOCKET)
    return service


@pytest.fixture(scope="module")
def url(service: Service) -> Iterator[str]:
    with database(service) as url:
        alembic(service, url, "upgrade head")
        yield url


@pytest.fixture
def running(service: Service, url: str) -> Iterator[Running]:
    variables = {
        "forwarded_allow_ips": "127.0.0.1",
        "jobs_in_process": False,
        "assistant_url": "http://127.0.0.1:9",
        "assistant_models": ["one"],
    }
    with serving(service, url, **variables) as running:
        yield running


@pytest.fixture
def nginx(service: Service, running: Running, tmp_path: Path) -> Iterator[Nginx]:
    [site] = re.findall(
        r"```nginx\n(.*?)```", (service.folder / "docs" / "operating.md").read_text(), re.DOTALL
    )
    assert "127.0.0.1:8000" in site
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{running.client.base_url.port}")
    with running_nginx(COMPRESSED + site, tmp_path / "nginx") as nginx:
        yield nginx


def create(client: httpx2.Client, path: str, body: Any) -> Any:
    response = client.post(f"{API}{path}", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The data of each event of a stream."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@contextmanager
def worker(service: Service, url: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.worker"],
        cwd=service.folder,
        env=service.variables
        | settings(url, {"assistant_url": "http://127.0.0.1:9", "assistant_models": ["one"]}),
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def start_import(client: httpx2.Client) -> str:
    """The path of a job that waits for a worker."""
    number = len(client.get(f"{API}/stations").json()["items"])
    station = create(client, "/stations", {"name": f"Harbor {number}"})
    sensor = create(
        client, f"/stations/{station['id']}/sensors", {"name": "Temperature", "unit": "°C"}
    )
    response = client.post(
        f"{API}/sensors/{sensor['id']}/measurements/import",
        content="measured_at,value\n2030-01-31T12:00:00Z,18.5\n",
        headers={"Content-Type": "text/csv"},
    )
    assert response.status_code == 202, response.text
    return str(response.headers["Location"])


def test_events_arrive_when_they_are_sent_and_the_stream_ends_with_the_job(
    nginx: Nginx, service: Service, url: str
) -> None:
    path = start_import(nginx.client)
    with nginx.client.stream("GET", f"{path}/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        received = events(stream.iter_lines())
        # No job runs before this event has arrived.
        assert next(received)["state"] == "queued"
        with worker(service, url):
            *_, last = received
    assert last["state"] == "succeeded"
    assert last["result"]["imported"] == 1


def test_stream_ends_with_its_client(nginx: Nginx, running: Running) -> None:
    path = start_import(nginx.client)
    with nginx.client.stream("GET", f"{path}/events") as stream:
        assert next(events(stream.iter_lines()))["state"] == "queued"
    # The service logs a request at its end. Without the client, a stream ends after 15 seconds.
    eventually(lambda: "/events from" in running.log, lambda: running.log, seconds=10)
    assert nginx.client.get(path).json()["state"] == "queued"


def test_tag_that_compression_weakens_is_a_condition_of_reads_and_writes(nginx: Nginx) -> None:
    project = create(nginx.client, "/projects", {"name": "Compressed"})
    task = create(nginx.client, f"/projects/{project['id']}/tasks", {"title": "Compressed"})
    path = f"{API}/tasks/{task['id']}"
    read = nginx.client.get(path)
    assert read.headers["Content-Encoding"] == "gzip"
    etag = read.headers["ETag"]
    assert etag.startswith('W/"1-')
    unchanged = nginx.client.get(path, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    headers = {"If-Match": etag}
    body = {"title": "Changed"}
    assert nginx.client.patch(path, json=body, headers=headers).status_code == 200
    assert nginx.client.patch(path, json=body, headers=headers).status_code == 412
    changed = nginx.client.get(path, headers={"If-None-Match": etag})
    assert changed.json()["title"] == "Changed"


def test_idempotency_key_has_one_effect(nginx: Nginx) -> None:
    budgets = [
        create(nginx.client, "/budgets", {"name": name, "credits": 10}) for name in ("One", "Two")
    ]
    body = {"source_id": budgets[0]["id"], "target_id": budgets[1]["id"], "credits": 1}
    first, second = (
        nginx.client.post(
            f"{API}/budgets/transfers", json=body, headers={"Idempotency-Key": "transfer"}
        )
        for _ in range(2)
    )
    assert (first.status_code, second.content) == (200, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    [one] = [
        each for each in nginx.client.get(f"{API}/budgets").json()["items"] if each["name"] == "One"
    ]
    assert one["credits"] == 9


def test_client_does_not_choose_its_address_and_problems_are_those_of_the_service(
    nginx: Nginx, running: Running
) -> None:
    missing = nginx.client.get(f"{API}/projects/no", headers={"X-Forwarded-For": "10.1.1.1"})
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert "10.1.1.1" not in running.log
    large = nginx.client.post(f"{API}/projects", content=b" " * 1_000_001)
    assert (large.status_code, large.json()["code"]) == (413, "content_too_large")


def test_websocket_is_opened(nginx: Nginx) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with nginx.client.stream("GET", "/socket", headers=headers) as response:
        assert response.status_code == 101
