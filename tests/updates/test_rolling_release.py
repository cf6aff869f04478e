"""A rolling release: processes of the last version and of the next one use the same schema."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.load import load
from harness.projects import Project, Template, releases, write_migration
from harness.running import serving, settings
from harness.servers import Server
from harness.services import Service
from harness.variants import FAMILIES

EXPAND = 'op.add_column("projects", sa.Column("color", sa.String(20)))'


@pytest.mark.nightly
@pytest.mark.parametrize("driver", ["asyncpg", "aiomysql", "aiosqlite"])
def test_last_version_serves_on_the_schema_of_the_next(
    upstream: Template, tmp_path: Path, driver: str, servers: Callable[[str], Server]
) -> None:
    version = list(releases())[-1]
    environment = Path(sys.prefix)
    last = Service(
        Project.copy(upstream, tmp_path / "last", version, driver=driver).folder, environment
    )
    project = Project.copy(upstream, tmp_path / "next", driver=driver)
    project.replace(
        "app/models.py",
        "    description: Mapped[",
        "    color: Mapped[str | None] = mapped_column(String(20))\n    description: Mapped[",
    )
    following = Service(project.folder, environment)
    write_migration(project.folder, "0002_color.py", EXPAND)
    url = f"sqlite:///{tmp_path}/service.db"
    if (family := FAMILIES[driver]) != "sqlite":
        servers(family).recreate_database("rolling")
        url = f"{family}://{servers(family).address}/rolling"

    def alembic(service: Service, *arguments: str) -> None:
        command = (sys.executable, "-m", "alembic", *arguments)
        service.succeed(*command, **settings(url, {}))

    alembic(last, "upgrade", "head")
    with serving(last, url) as before, load(before.client.base_url, 1) as sent:
        sent.wait_for(10, 200, 201)
        alembic(following, "upgrade", "head")
        alembic(following, "check")
        sent.wait_for(10, 200, 201, after=time.monotonic())
        before.call("GET", "/health/ready")
        with serving(following, url) as after, load(after.client.base_url, 1) as sent_after:
            after.call("GET", "/health/ready")
            sent_after.wait_for(10, 200, 201)
            sent.wait_for(10, 200, 201, after=time.monotonic())
        assert {response.status for response in sent_after.responses} == {200, 201}, after.log
    assert {response.status for response in sent.responses} == {200, 201}, before.log
    with serving(last, url) as rolled_back:
        rolled_back.call("GET", "/health/ready")
        rolled_back.call("POST", "/api/v1/projects", {"name": "After the rollback"}, status=201)
