"""A transfer that is interrupted writes nothing; it reads one snapshot."""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from harness.servers import Server
from harness.waiting import eventually
from tests.transfer.transferring import (
    BASE,
    SCRIPT,
    SECONDS,
    Owned,
    execute,
    is_empty,
    long_on_servers,
    lossy_types,
    on_servers,
    run,
    start,
    transfer,
)

pytestmark = lossy_types

NOTES = (
    BASE
    + """
import time
from pathlib import Path
from sqlalchemy import TypeDecorator

GO = Path(__file__).parent.parent / "go"


class Blocking(TypeDecorator):
    impl = Text
    cache_ok = True

    def process_result_value(self, value, dialect):
        if value == "block" and not GO.exists():
            GO.with_name("blocked").touch()
            while not GO.exists():
                time.sleep(0.01)
        return value


Table("notes", Base.metadata, Column("id", Integer, primary_key=True), Column("text", Blocking))
"""
)


def blocking_notes(owned: Owned, url: str) -> str:
    """Insert notes; reading the middle one blocks until the file `go` exists."""
    notes(owned, url, 200)
    execute(url, "UPDATE notes SET text = 'block' WHERE id = 100")
    return url


def start_and_block(owned: Owned, source: str, target: str) -> subprocess.Popen[str]:
    process = start(owned.folder, "--batch-size", "10", source, target)
    blocked = owned.folder / "blocked"
    eventually(lambda: blocked.exists() or process.poll() is not None)
    assert process.poll() is None
    return process


def notes(owned: Owned, url: str, number: int) -> str:
    owned.create(url)
    numbers = (
        "SELECT seq FROM seq_1_to_{}"
        if url.startswith("mysql")
        else "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {})"
        " SELECT seq FROM n"
    ).format(number)
    word = "repeat('word ', 40)" if not url.startswith("sqlite") else f"'{'word ' * 40}'"
    execute(url, f"INSERT INTO notes SELECT seq, {word} FROM ({numbers}) AS numbers")
    return url


@on_servers
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("sqlite", signal.SIGKILL),
        ("postgresql", signal.SIGKILL),
        ("mysql", signal.SIGKILL),
        ("sqlite", signal.SIGTERM),
        ("postgresql", signal.SIGINT),
        ("mysql", signal.SIGINT),
    ],
)
def test_interrupted_transfer_writes_nothing_and_can_be_repeated(
    kind: str,
    number: signal.Signals,
    tmp_path: Path,
    database: Callable[[str], str],
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    source = blocking_notes(owned, database("sqlite"))
    target = owned.create(database(kind))
    process = start_and_block(owned, source, target)
    process.send_signal(number)
    output, message = process.communicate(timeout=SECONDS)
    assert output == ""
    if number == signal.SIGKILL:
        assert process.returncode == -number
        assert is_empty(owned, target)
        (owned.folder / "go").touch()
        transfer(owned.folder, source, target)
        assert owned.rows(target) == owned.rows(source)
    else:
        interrupted = "Interrupted. Nothing was written. Run this command again.\n"
        assert (process.returncode, message) == (1, interrupted)
        assert is_empty(owned, target)


@on_servers
@pytest.mark.parametrize(
    ("kind", "lost"), [("postgresql", "new"), ("mysql", "new"), ("postgresql", "old")]
)
def test_lost_connection_is_an_error_and_writes_nothing(
    kind: str,
    lost: str,
    tmp_path: Path,
    database: Callable[[str], str],
    servers: Callable[[str], Server],
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    server = servers(kind)
    if lost == "new":
        source, target = blocking_notes(owned, database("sqlite")), owned.create(database(kind))
    else:
        source, target = blocking_notes(owned, database(kind)), owned.create(database("sqlite"))
    process = start_and_block(owned, source, target)
    name = (target if lost == "new" else source).rpartition("/")[2]
    if kind == "postgresql":
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        server.execute(end, name)
    else:
        ids = "SELECT id FROM information_schema.processlist WHERE db = %s"
        for (number,) in server.execute(ids, name):
            server.execute(f"KILL CONNECTION {number}")
    (owned.folder / "go").touch()
    output, message = process.communicate(timeout=SECONDS)
    assert (process.returncode, output) == (1, "")
    assert message.startswith("Database error: ")
    assert message.endswith(". Nothing was written.\n")
    assert len(message.splitlines()) == 1
    assert is_empty(owned, target)


def test_full_disk_is_an_error_and_writes_nothing(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "service", NOTES)
    source = notes(owned, database("sqlite"), 50_000)
    target = owned.create(database("sqlite"))
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    result = run(owned.folder, source, target, preexec_fn=limit)
    assert result.returncode == 1
    assert result.stderr.startswith("Database error: ")
    assert is_empty(owned, target)
    transfer(owned.folder, source, target)


@on_servers
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_all_tables_are_read_from_one_snapshot(
    kind: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    later = 'Table("later", Base.metadata, Column("id", ForeignKey("notes.id"), primary_key=True))'
    owned = Owned(tmp_path / "service", f"{NOTES}\n{later}\n")
    source, target = blocking_notes(owned, database(kind)), owned.create(database("sqlite"))
    execute(source, "INSERT INTO later VALUES (1)")
    process = start_and_block(owned, source, target)
    execute(source, "INSERT INTO later VALUES (2)")
    (owned.folder / "go").touch()
    _, message = process.communicate(timeout=SECONDS)
    assert (process.returncode, message) == (0, "")
    assert owned.rows(target)["later"] == [(1,)]


# The peak of a process includes that of its parent at the fork, so a small process starts the tool.
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@long_on_servers
@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_rows(
    tmp_path: Path, database: Callable[[str], str]
) -> None:
    peaks = []
    for number in (20_000, 1_000_000):
        owned = Owned(tmp_path / f"service {number}", NOTES)
        source = notes(owned, database("postgresql"), number)
        target = owned.create(database("mysql"))
        measured = subprocess.run(
            [sys.executable, "-c", PEAK, sys.executable, str(SCRIPT), source, target],
            cwd=owned.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        assert f" {number:,}  " in measured.stdout
        peaks.append(int(measured.stdout.splitlines()[-1]))
    assert peaks[1] - peaks[0] < 10_000  # kilobytes; the additional rows take 40,000
