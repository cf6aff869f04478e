"""The image and the compose file of services, unmodified, on an engine that tests start.

The official base images are stand-ins made from Debian packages: see harness/images.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from harness.docker import Engine
from harness.images import DATABASE_IMAGES, load
from harness.rendering import render
from harness.services import UV
from harness.variants import FAMILIES
from harness.waiting import eventually

ADDRESS = "http://127.0.0.1:8000"
API = f"{ADDRESS}/api/v1"
KILLED = 137
# Also a worker; on MySQL, the plain file.
WITH_JOBS = {"aiosqlite", "asyncpg"}
# A job that does not end by itself.
SLOW = '''"""A job of the tests."""

import asyncio

from app.core.outbox import BackgroundJob, JobContext


class Slow(BackgroundJob):
    async def run(self, _: JobContext) -> None:
        await asyncio.sleep(600)
'''
ENQUEUE = """
import asyncio
from app.core.outbox import enqueue
from app.database import Database
from app.settings import Settings
from app.slow import Slow

async def main():
    database = Database(Settings())
    async with database.write.begin() as session:
        await enqueue(session, Slow())
    await database.dispose()

asyncio.run(main())
"""


class Stack:
    """A rendered service that `docker compose` runs."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder

    def compose(self, *arguments: str) -> str:
        return self.engine.docker("compose", *arguments, folder=self.folder)

    def up(self) -> None:
        """Build the image, start all containers, and wait until they are healthy."""
        try:
            self.compose("up", "--detach", "--build", "--wait", "--wait-timeout", "300")
        except AssertionError as error:
            error.add_note(self.compose("logs"))
            raise

    def state(self, name: str) -> dict[str, Any]:
        """The state of the container of this service in the compose file."""
        container = self.compose("ps", "--all", "--quiet", name).strip()
        state: dict[str, Any] = self.engine.inspect(container)["State"]
        return state

    def names(self) -> set[str]:
        """The names of the projects that the service has."""
        status, page = self.engine.request("GET", f"{API}/projects")
        assert status == 200
        return {project["name"] for project in page["items"]}

    def create(self, name: str) -> None:
        self.post("/projects", {"name": name})

    def inside(self, name: str, *command: str) -> str:
        """The output of a command in the container of this service in the compose file."""
        return self.compose("exec", "--no-TTY", name, *command)

    @property
    def has_worker(self) -> bool:
        return "worker" in self.compose("config", "--services").split()

    def post(self, path: str, body: Any, status: int = 201, **options: str) -> Any:
        """The body of the response to a POST, which must have this status."""
        found, response = self.engine.request("POST", f"{API}{path}", body, **options)
        assert found == status, response
        return response

    def image(self) -> dict[str, Any]:
        return self.engine.inspect(f"{self.folder.name}-service")


def answers(driver: str) -> dict[str, Any]:
    jobs = {"jobs": "database", "examples": ["projects", "measurements"]}
    return {"driver": driver, **(jobs if driver in WITH_JOBS else {})}


def add_slow_job(app: Path) -> None:
    (app / "slow.py").write_text(SLOW)
    jobs = app / "jobs.py"
    jobs.write_text(
        jobs.read_text()
        .replace("\n\nJOBS", "\nfrom app.slow import Slow\n\nJOBS")
        .replace("    # Your own", "    Slow,\n    # Your own")
    )


on_stacks_with_a_worker = pytest.mark.parametrize("stack", sorted(WITH_JOBS), indirect=True)


@pytest.fixture(scope="module", params=["aiosqlite", "asyncpg", "asyncmy"])
def stack(
    request: pytest.FixtureRequest,
    engine: Engine,
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    driver = request.param
    load(engine, "python:3.13-slim", *DATABASE_IMAGES[FAMILIES[driver]])
    folder = tmp_path_factory.mktemp("docker") / driver
    stack = Stack(engine, render(template, folder, **answers(driver)))
    if driver in WITH_JOBS:
        add_slow_job(folder / "app")
    engine.run(UV, "lock", folder=folder)
    try:
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture
def service(stack: Stack, tested: Callable[[str, str], None]) -> Stack:
    """A healthy service, whatever the test before left behind."""
    tested("Docker", stack.engine.version)
    stack.up()
    return stack


def test_service_is_healthy_after_the_migration(service: Stack) -> None:
    assert service.state("migrate")["ExitCode"] == 0
    assert service.state("service")["Health"]["Status"] == "healthy"
    status, body = service.engine.request("GET", f"{ADDRESS}/health/ready")
    assert (status, body) == (200, {"status": "ok"})
    service.create("first")
    assert "first" in service.names()


def test_processes_run_as_a_user_that_cannot_change_their_code(service: Stack) -> None:
    # uv leaves an empty lock file that everybody may write.
    writable = ("find", "/service", "-writable", "-not", "-type", "l", "-not", "-name", ".lock")
    for name in ("service", "worker") if service.has_worker else ("service",):
        assert service.inside(name, "id", "--user").strip() == "10001"
        assert service.inside(name, *writable) == ""


@on_stacks_with_a_worker
def test_worker_does_the_work_of_a_request(service: Stack) -> None:
    station = service.post("/stations", {"name": f"Harbor {uuid4()}"}, 201)
    sensor = service.post(
        f"/stations/{station['id']}/sensors", {"name": "Temperature", "unit": "°C"}, 201
    )
    path = f"/sensors/{sensor['id']}/measurements"
    content = "measured_at,value\n2030-01-31T12:00:00Z,18.5\n"
    job = service.post(f"{path}/import", content, 202, media_type="text/csv")

    def state() -> str:
        status, body = service.engine.request("GET", f"{API}/jobs/{job['id']}")
        assert status == 200, body
        return str(body["state"])

    eventually(lambda: state() == "succeeded", lambda: service.compose("logs"))
    assert "Job ImportMeasurements succeeded" in service.compose("logs", "worker")
    assert "Job ImportMeasurements" not in service.compose("logs", "service")
    _, page = service.engine.request("GET", f"{API}{path}")
    assert [each["value"] for each in page["items"]] == [18.5]


@on_stacks_with_a_worker
def test_worker_hands_jobs_back_within_the_grace_period(service: Stack) -> None:
    service.inside("service", "python", "-c", ENQUEUE)

    def jobs(state: str) -> str:
        listing = service.inside("service", "python", "-m", "app.jobs", "list", "--state", state)
        return " ".join(listing.split())

    eventually(lambda: "Slow running, attempt 1" in jobs("running"), lambda: jobs("queued"))
    service.compose("stop", "worker")
    state = service.state("worker")
    assert state["ExitCode"] == 0
    assert not state["OOMKilled"]
    assert "Job Slow was handed back" in service.compose("logs", "worker")
    assert "Slow queued, attempt 0" in jobs("queued")
    assert "Slow" not in jobs("running")


def test_service_ends_within_the_grace_period(service: Stack) -> None:
    service.compose("stop", "service")
    state = service.state("service")
    # Docker kills a container that does not end in time.
    assert state["ExitCode"] == 0
    assert not state["OOMKilled"]
    assert "Application shutdown complete" in service.compose("logs", "service")


def test_rows_are_kept_when_all_containers_are_killed_and_removed(service: Stack) -> None:
    service.create("kept")
    service.compose("kill")
    assert service.state("service")["ExitCode"] == KILLED
    service.up()
    assert "kept" in service.names()
    service.compose("down", "--timeout", "30")
    service.up()
    assert "kept" in service.names()


def test_changed_code_rebuilds_only_the_last_layer(service: Stack) -> None:
    before = service.image()["RootFS"]["Layers"]
    main = service.folder / "app" / "main.py"
    main.write_text(main.read_text() + "# A change.\n")
    service.up()
    after = service.image()["RootFS"]["Layers"]
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    read = service.inside("service", "tail", "--lines=1", "app/main.py")
    assert read == "# A change.\n"


def test_image_has_only_what_the_service_needs(
    service: Stack, noted: Callable[[str], None]
) -> None:
    image = service.image()
    layers = service.engine.docker(
        *("history", "--no-trunc", "--format", "{{.Size}}\t{{.CreatedBy}}", image["Id"])
    )
    noted(f"{service.folder.name}: an image of {image['Size'] // 10**6} MB; its layers:")
    for line in layers.splitlines():
        if not line.startswith("0B"):
            noted(f"  {line[:90]}")
    listed = service.inside("service", "ls", "-A", "/service")
    assert set(listed.split()) == {".venv", "app", "migrations", "pyproject.toml"}
    installed = service.inside("service", "ls", "/service/.venv/bin")
    assert "alembic" in installed.split()
    assert not {"pytest", "ruff", "mypy", "uv"} & set(installed.split())
