"""The image and the compose file of services, unmodified, on an engine that tests start.

The official base images are stand-ins made from Debian packages: see harness/images.py.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.docker import Engine
from harness.images import DATABASE_IMAGES, load
from harness.rendering import render
from harness.services import UV
from harness.variants import FAMILIES

ADDRESS = "http://127.0.0.1:8000"
KILLED = 137


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
        status, page = self.engine.request("GET", f"{ADDRESS}/api/v1/projects")
        assert status == 200
        return {project["name"] for project in page["items"]}

    def create(self, name: str) -> None:
        status, _ = self.engine.request("POST", f"{ADDRESS}/api/v1/projects", {"name": name})
        assert status == 201

    def image(self) -> dict[str, Any]:
        return self.engine.inspect(f"{self.folder.name}-service")


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
    stack = Stack(engine, render(template, folder, driver=driver))
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


def test_service_runs_as_a_user_that_cannot_change_its_code(service: Stack) -> None:
    inside = ("exec", "--no-TTY", "service")
    assert service.compose(*inside, "id", "--user").strip() == "10001"
    # uv leaves an empty lock file that everybody may write.
    writable = ("find", "/service", "-writable", "-not", "-type", "l", "-not", "-name", ".lock")
    assert service.compose(*inside, *writable) == ""


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
    read = service.compose("exec", "--no-TTY", "service", "tail", "--lines=1", "app/main.py")
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
    listed = service.compose("exec", "--no-TTY", "service", "ls", "-A", "/service")
    assert set(listed.split()) == {".venv", "app", "migrations", "pyproject.toml"}
    installed = service.compose("exec", "--no-TTY", "service", "ls", "/service/.venv/bin")
    assert "alembic" in installed.split()
    assert not {"pytest", "ruff", "mypy", "uv"} & set(installed.split())
