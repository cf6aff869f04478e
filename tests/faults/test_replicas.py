"""Several replicas of a service on one database."""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.running import settings
from harness.services import Service
from harness.waiting import eventually
from tests.faults.stack import Stack

REPLICAS = 3
ON_EVERY_DATABASE = pytest.mark.drivers(
    "asyncpg", "aiomysql", "aiosqlite", further=("psycopg", "asyncmy")
)


# Slow enough that the other replicas find it not yet applied.
SLOW_MIGRATION = """
import time

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    time.sleep(3)
"""


@ON_EVERY_DATABASE
def test_replicas_that_migrate_concurrently_apply_each_migration_once(
    stack: Stack, tmp_path: Path
) -> None:
    folder = shutil.copytree(stack.service.folder, tmp_path / "service")
    (folder / "migrations" / "versions" / "0002_slow.py").write_text(SLOW_MIGRATION)
    service = Service(folder, Path(sys.prefix))
    with stack.empty_database("replicas") as name:
        variables = settings(stack.url(database=name), {})

        def migrate(_: int) -> tuple[int, str]:
            result = service.run(*stack.alembic("upgrade", "head"), **variables)
            return result.returncode, result.stdout

        with ThreadPoolExecutor(REPLICAS) as threads:
            results = list(threads.map(migrate, range(REPLICAS)))
        assert [code for code, _ in results] == [0] * REPLICAS, results
        output = "".join(output for _, output in results)
        assert output.count("Running upgrade") == 2, results
        assert "waiting for it" in output, results
        service.succeed(*stack.alembic("check"), **variables)


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy", "aiosqlite"))
def test_replica_is_not_ready_before_its_schema_is_migrated(stack: Stack) -> None:
    with (
        stack.empty_database("unmigrated") as name,
        stack.serving(stack.url(database=name)) as service,
    ):
        service.call("GET", "/health/live")
        problem = service.call("GET", "/health/ready", status=503)
        assert problem["code"] == "schema_not_ready"
        stack.migrate(name)
        eventually(lambda: service.client.get("/health/ready").status_code == 200)
        service.call("POST", "/api/v1/projects", {"name": "First"}, status=201)
