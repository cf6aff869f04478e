"""An import of a CSV file is continued after `kill -9`, without a row twice or lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.rendering import render
from harness.running import Running, database, python_of, serving, settings, succeed_in
from harness.services import Service
from harness.waiting import eventually

ROWS = 8000
FILES = 2


@contextmanager
def working(service: Service, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, whose leases are short."""
    environment = settings(url, {"jobs_lease_seconds": 2, "jobs_attempts": 2})
    process = subprocess.Popen(
        [str(python_of(service)), "-m", "app.worker"],
        cwd=service.folder,
        env=service.variables | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def csv_file() -> str:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    lines = (f"{start + timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ},{n}\n" for n in range(ROWS))
    return "measured_at,value\n" + "".join(lines)


def start_import(running: Running, station: str, number: int) -> tuple[str, str]:
    """Start the import of a file; returns the paths of the sensor and of the job."""
    body = {"name": f"Sensor {number}", "unit": "m"}
    sensor = running.call("POST", f"/api/v1/stations/{station}/sensors", body, status=201)
    path = f"/api/v1/sensors/{sensor['id']}"
    headers = {"Content-Type": "text/csv"}
    url = f"{path}/measurements/import"
    response = running.client.post(url, content=csv_file(), headers=headers)
    assert response.status_code == 202, response.text
    return path, response.headers["Location"]


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy", "aiosqlite"))
def test_imports_survive_kills_of_their_workers_without_a_row_twice_or_lost(
    driver: str, template: Path, tmp_path: Path
) -> None:
    folder = render(
        template, tmp_path / "service", driver=driver, examples=["measurements"], jobs="database"
    )
    service = Service(folder, Path(sys.prefix))
    with database(service) as url:
        succeed_in(service, url, "alembic", "upgrade", "head")
        with serving(service, url, jobs_in_process="false") as running:
            station = running.call("POST", "/api/v1/stations", {"name": "Harbor"}, status=201)
            imports = [start_import(running, station["id"], number) for number in range(FILES)]

            def jobs() -> list[Any]:
                return [running.call("GET", job) for _, job in imports]

            def is_beyond(part: float) -> bool:
                return sum(job["done"] or 0 for job in jobs()) > part * FILES * ROWS

            # As many kills as JOBS_ATTEMPTS: jobs that make progress survive them.
            for part in (0.1, 0.4):
                with working(service, url) as worker:
                    eventually(partial(is_beyond, part))
                    worker.kill()
                    worker.wait()
            assert any(job["state"] == "running" for job in jobs())
            with ExitStack() as stack:
                for _ in range(2):
                    stack.enter_context(working(service, url))
                eventually(lambda: all(job["finished_at"] for job in jobs()))
            stored = [running.call("GET", f"{sensor}/statistics") for sensor, _ in imports]
            sent = FILES * ROWS
            imported = sum(each["count"] for each in stored)
            # A row that is imported again is rejected.
            twice = sum(job["result"]["rejected"] for job in jobs())
            lost = sent - imported
            print(f"{driver}: {sent} rows sent, {imported} imported, {twice} twice, {lost} lost")
            for job, statistics in zip(jobs(), stored, strict=True):
                assert (job["state"], job["problem"]) == ("succeeded", None)
                assert job["result"] == {"imported": ROWS, "rejected": 0, "errors": []}
                assert (statistics["count"], statistics["maximum"]) == (ROWS, ROWS - 1)
            assert "Traceback" not in running.log
