"""A migration needs a lock that a transaction holds, while requests are sent."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from harness.load import load
from harness.projects import write_migration
from harness.running import settings
from harness.services import Service
from harness.waiting import eventually
from tests.faults.stack import Stack

ADD_COLUMN = 'op.add_column("projects", sa.Column("color", sa.String(20)))'


class Upgrade:
    """`alembic upgrade head` of the service with a further migration."""

    def __init__(self, stack: Stack, folder: Path, url: str, **environment: object) -> None:
        # Not the database: closing a file releases the locks that this process holds on it.
        without = shutil.ignore_patterns("*.db*")
        shutil.copytree(stack.service.folder, folder / "service", ignore=without)
        service = Service(folder / "service", Path(sys.prefix))
        write_migration(service.folder, "0002_color.py", ADD_COLUMN)
        self._log = folder / "log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                stack.alembic("upgrade", "head"),
                cwd=service.folder,
                env=service.variables | settings(url, environment),
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def succeed(self) -> None:
        assert self.process.wait(60) == 0, self.log

    def fail(self) -> str:
        """The output, without the log of Alembic."""
        assert self.process.wait(60) != 0, self.log
        return self.log[self.log.index("FAILED") :]


@contextmanager
def open_transaction(stack: Stack, database: str) -> Iterator[None]:
    """A transaction that has read the table `projects`, and does not end."""
    with closing(stack.server.connect(database)) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM projects")
        yield


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_requests_are_answered_while_a_migration_cannot_get_a_lock(
    stack: Stack, tmp_path: Path
) -> None:
    with stack.empty_database("locked") as name:
        stack.migrate(name)
        url = stack.url(database=name)
        with stack.serving(url, database_lock_timeout=3) as service:

            def answers() -> bool:
                service.call("POST", "/api/v1/projects", {"name": uuid4().hex}, status=201)
                service.call("GET", "/api/v1/projects?limit=5")
                return True

            with open_transaction(stack, name):
                upgrade = Upgrade(stack, tmp_path, url)
                eventually(
                    lambda: answers() and upgrade.log.count("trying again: ALTER TABLE") == 2,
                    lambda: upgrade.log,
                )
                assert upgrade.process.poll() is None
            upgrade.succeed()
            assert answers()
        assert stack.server.execute("SELECT color FROM projects LIMIT 1", database=name)


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_longer_text_type_fails_no_read_and_no_later_write(stack: Stack) -> None:
    alter = {
        "postgresql": "ALTER TABLE projects ALTER COLUMN name TYPE varchar(200)",
        "mysql": "ALTER TABLE projects MODIFY name varchar(200) NOT NULL",
    }[stack.family]
    with stack.empty_database("longer") as name:
        stack.migrate(name)
        with stack.serving(stack.url(database=name), database_pool_size=4) as service:
            project = service.call("POST", "/api/v1/projects", {"name": "Alpha"}, status=201)

            def change() -> httpx2.Response:
                path = f"/api/v1/projects/{project['id']}"
                return service.client.patch(path, json={"description": uuid4().hex})

            with load(service.client.base_url, 4) as sent:
                # psycopg prepares statements that are repeated.
                assert {change().status_code for _ in range(40)} == {200}
                stack.server.execute(alter, database=name)
                sent.wait_for(50, 200, 201, after=time.monotonic())
                for response in [change() for _ in range(8)]:
                    retry_after = response.headers.get("Retry-After")
                    assert (response.status_code, retry_after) in {(200, None), (503, "1")}
                assert {change().status_code for _ in range(8)} == {200}, service.log
            statuses = {(response.method, response.status) for response in sent.responses}
            assert statuses == {("GET", 200), ("POST", 201)}, service.log
            assert stack.checked_out(service) == 0


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_migration_that_never_gets_a_lock_gives_up_in_words(stack: Stack, tmp_path: Path) -> None:
    with stack.empty_database("locked") as name:
        stack.migrate(name)
        url = stack.url(database=name)
        with open_transaction(stack, name):
            output = Upgrade(stack, tmp_path, url, migration_lock_timeout=1).fail()
    assert output.startswith("FAILED: Timed out waiting for a lock: ALTER TABLE projects ADD")
    assert output.endswith("or raise MIGRATION_LOCK_TIMEOUT; then try again.\n")
    assert "Traceback" not in output


@pytest.mark.nightly
@pytest.mark.drivers("aiomysql", further=("asyncmy",))
def test_first_migration_that_was_killed_midway_can_be_run_again(
    stack: Stack, tmp_path: Path
) -> None:
    folder = shutil.copytree(stack.service.folder, tmp_path / "service")
    service = Service(folder, Path(sys.prefix))
    file = folder / "migrations" / "versions" / "0001_initial.py"
    *starts, _, last = re.finditer(r"(?m)^    (?=op\.create_)", migration := file.read_text())
    [first_table, *_] = re.findall(r'op\.create_table\(\s*"(\w+)"', migration)
    with stack.empty_database("killed") as name:
        variables = settings(stack.url(database=name), {})
        for statement in (starts[1], last):  # after the first table, and before the last index
            kill = "    __import__('os').kill(0, 9)\n"
            file.write_text(migration[: statement.start()] + kill + migration[statement.start() :])
            killed = subprocess.Popen(
                stack.alembic("upgrade", "head"),
                cwd=folder,
                env=service.variables | variables,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # the process that `kill` addresses
            )
            assert killed.wait(60) == -signal.SIGKILL
            assert stack.server.execute(f"SHOW TABLES LIKE '{first_table}'", database=name)
        file.write_text(migration)
        service.succeed(*stack.alembic("upgrade", "head"), **variables)
        service.succeed(*stack.alembic("check"), **variables)


@pytest.mark.drivers("aiosqlite")
def test_migration_waits_for_a_writer_of_sqlite_and_readers_do_not(
    stack: Stack, tmp_path: Path
) -> None:
    with stack.empty_database("locked") as name:
        stack.migrate(name)
        url = stack.url(database=name)
        file = url.removeprefix("sqlite:///")
        with (
            stack.serving(url) as service,
            closing(sqlite3.connect(file, isolation_level=None)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            impatient = Upgrade(stack, tmp_path / "a", url, migration_lock_timeout=1)
            assert impatient.fail().startswith("FAILED: Timed out waiting for a lock: ")
            upgrade = Upgrade(stack, tmp_path / "b", url)
            eventually(lambda: "waiting for it" in upgrade.log)
            service.call("GET", "/api/v1/projects")
            assert upgrade.process.poll() is None
            other.execute("ROLLBACK")
            upgrade.succeed()
            service.call("POST", "/api/v1/projects", {"name": "After"}, status=201)
