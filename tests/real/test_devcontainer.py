"""Dev containers of services, brought up by the Dev Container CLI on an engine that tests start.

The official base images are stand-ins made from Debian packages: see harness/images.py.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import devcontainer_cli
from harness.docker import Engine
from harness.images import DATABASE_IMAGES, load
from harness.rendering import render
from harness.variants import FAMILIES, named

# The user in the container, whose files these are on a machine with one user.
UID = 1000


class DevContainer:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.cli = devcontainer_cli.program()

    def up(self) -> dict[str, str]:
        """Create the container, and return what the CLI says about it."""
        printed = self.engine.run(self.cli, "up", "--workspace-folder", str(self.folder))
        result: dict[str, str] = json.loads(printed.splitlines()[-1])
        return result

    def run(self, *command: str) -> str:
        """Run a command as a developer does."""
        options = ("--workspace-folder", str(self.folder))
        return self.engine.run(self.cli, "exec", *options, *command)

    def remove(self) -> None:
        project = f"{self.folder.name}_devcontainer"
        self.engine.docker("compose", "--project-name", project, "down", "--volumes")


@pytest.fixture(params=["aiosqlite", "asyncpg", "asyncmy", "aiomysql-dev_sqlite"])
def devcontainer(
    request: pytest.FixtureRequest, engine: Engine, template: Path, tmp_path: Path
) -> Iterator[DevContainer]:
    variant = named(f"{request.param}-devcontainer")
    load(engine, "python:3.13", *DATABASE_IMAGES[FAMILIES[variant.driver]])
    folder = render(template, tmp_path / variant.driver, **variant.answers)
    (folder / ".env").unlink()  # as in a clone
    engine.run("chown", "--recursive", str(UID), str(folder))
    container = DevContainer(engine, folder)
    try:
        yield container
    finally:
        container.remove()


def test_dev_container_has_all_that_its_service_needs(
    devcontainer: DevContainer, tested: Callable[[str, str], None]
) -> None:
    tested("Dev Container CLI", devcontainer_cli.VERSION)
    created = devcontainer.up()
    assert created["outcome"] == "success"
    assert created["remoteUser"] == "dev"
    assert devcontainer.run("id", "--user").split()[-1] == str(UID)
    assert "0001 (head)" in devcontainer.run("alembic", "current")
    devcontainer.run("python", "-m", "app.core.check_database")
    assert "passed" in devcontainer.run("pytest", "-q", "-n", "2", "tests/test_projects.py")
    devcontainer.run("git", "--version")
    assert not (devcontainer.folder / ".venv").exists()
