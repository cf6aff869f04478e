"""SQLite allows one writer at a time: concurrent writers wait and do not overwrite each other."""

import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from harness.load import load
from harness.running import settings
from tests.faults.stack import Stack

WRITERS = 64
ROUNDS = 3

pytestmark = pytest.mark.drivers("aiosqlite")


def test_concurrent_writers_lose_no_update(stack: Stack) -> None:
    with stack.serving() as service:
        project = service.call("POST", "/api/v1/projects", {"name": "Counter"}, status=201)
        path = f"/lengthen/{project['id']}"
        with ThreadPoolExecutor(WRITERS) as threads:
            responses = threads.map(lambda _: service.client.post(path), range(ROUNDS * WRITERS))
            assert Counter(response.status_code for response in responses) == {
                200: ROUNDS * WRITERS
            }
        assert service.call("POST", path) == ROUNDS * WRITERS + 1
        assert stack.checked_out(service) == 0


def test_writers_time_out_on_the_lock_of_another_process_and_readers_do_not_wait(
    stack: Stack,
) -> None:
    with (
        stack.serving(database_lock_timeout=0.5, database_pool_timeout=1) as service,
        closing(sqlite3.connect(stack.file, isolation_level=None)) as other,
    ):
        service.call("POST", "/api/v1/projects", {"name": "Before"}, status=201)
        other.execute("BEGIN IMMEDIATE")
        held = time.monotonic()
        with load(service.client.base_url, 4) as sent:
            sent.wait_for(8, 200, after=held)
            sent.wait_for(8, 503, after=held)
            released = time.monotonic()
            other.execute("ROLLBACK")
            sent.wait_for(20, 201, after=released)
        assert {response.status for response in sent.since(released)} == {200, 201}, service.log
        refused = [response for response in sent.responses if response.status == 503]
        assert {(response.method, response.retry_after) for response in refused} == {("POST", "1")}
        assert max(response.seconds for response in sent.responses) < 0.5 + 1 + 5
        assert stack.checked_out(service) == 0


def delete(file: Path) -> None:
    file.unlink()


def replace(file: Path) -> None:
    copy = file.with_name(f"{file.name}.copy")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.replace(file)


def delete_wal(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


@pytest.mark.parametrize(
    "lose",
    [
        delete,
        pytest.param(replace, marks=pytest.mark.nightly),
        pytest.param(delete_wal, marks=pytest.mark.nightly),
    ],
)
def test_lost_file_of_the_database_is_noticed_and_loses_no_row(
    stack: Stack, lose: Callable[[Path], None]
) -> None:
    with stack.empty_database(f"lost_{lose.__name__}") as name:
        stack.migrate(name)
        url = stack.url(database=name)
        file = Path(url.removeprefix("sqlite:///"))
        with stack.serving(url, database_pool_size=3) as service:
            with load(service.client.base_url, 3) as sent:
                sent.wait_for(30, 200, 201)
            kept = file.with_name(f"{file.name}.kept")
            kept.hardlink_to(file)
            lose(file)
            for _ in range(8):
                response = service.client.get("/health/ready")
                assert (response.status_code, response.json()["code"]) == (503, "unavailable")
                for method in ("GET", "POST"):
                    response = service.client.request(
                        method, "/api/v1/projects", json={"name": "x"}
                    )
                    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
            assert "was deleted or replaced while it was open" in service.log
            assert file.exists() == (lose is not delete)
            service.stop()
        acknowledged = {response.name for response in sent.responses if response.status == 201}
        kept.replace(file)
        with closing(sqlite3.connect(file)) as connection:
            stored = {row for (row,) in connection.execute("SELECT name FROM projects")}
        assert acknowledged <= stored
        with stack.serving(url) as service:
            service.call("GET", "/health/ready")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.nightly
def test_writes_are_refused_while_the_disk_is_full(stack: Stack, small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/service.db"
    stack.service.succeed(*stack.alembic("upgrade", "head"), **settings(url, {}))
    with stack.serving(url) as service:
        service.call("POST", "/api/v1/projects", {"name": "Before"}, status=201)
        ballast = small_disk / "ballast"
        with suppress(OSError):
            ballast.write_bytes(bytes(2**20))
        refused = service.client.post("/api/v1/projects", json={"name": "x" * 100})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1"), service.log
        [kept] = service.call("GET", "/api/v1/projects")["items"]
        assert kept["name"] == "Before"
        service.call("GET", "/health/ready")
        ballast.unlink()
        service.call("POST", "/api/v1/projects", {"name": "After"}, status=201)


def test_every_connection_sets_the_pragmas(stack: Stack) -> None:
    with stack.serving(database_lock_timeout=4) as service:
        for kind in ("write", "read"):
            assert service.call("GET", f"/pragmas/{kind}") == {
                "foreign_keys": "1",
                "journal_mode": "wal",
                "busy_timeout": "4000",
                "synchronous": "1",
            }
