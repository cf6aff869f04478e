"""Migrations of a cluster: the lock on all nodes, and what they do to requests."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.galera import Node
from harness.load import load
from harness.projects import write_migration
from harness.running import serving, settings
from harness.services import Service
from harness.waiting import eventually
from tests.real.galera.cluster import assert_only_503s, drivers, figures, url

ADD_COLUMN = 'op.add_column("projects", sa.Column("color", sa.String(20)))'
PAUSE = "import os; op.execute('SELECT SLEEP(%s)' % os.environ['PAUSE'])"


class Upgrade:
    """`alembic upgrade head` on a node, as a process."""

    def __init__(self, service: Service, address: str, log: Path, pause: float) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "alembic", "upgrade", "head"],
                cwd=service.folder,
                env=service.variables | settings(address, {"pause": str(pause)}),
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def migrates(self) -> bool:
        return "Running upgrade 0001 -> 0002" in self.log

    @property
    def waits(self) -> bool:
        return "trying again: INSERT INTO alembic_version" in self.log

    def succeed(self) -> None:
        assert self.process.wait(120) == 0, self.log


@pytest.fixture
def further(service: Service) -> None:
    """A migration that takes as long as the variable PAUSE says."""
    write_migration(service.folder, "0002_further.py", f"{ADD_COLUMN}; {PAUSE}")


@drivers
@pytest.mark.usefixtures("further")
def test_migrations_on_two_nodes_take_turns(
    cluster: list[Node], service: Service, name: str, tmp_path: Path
) -> None:
    first = Upgrade(service, url(cluster[0], name), tmp_path / "first", pause=4)
    second = Upgrade(service, url(cluster[1], name), tmp_path / "second", pause=0)
    first.succeed()
    second.succeed()
    assert sorted([first.migrates, second.migrates]) == [False, True]


@pytest.mark.parametrize("driver", ["asyncmy"])
@pytest.mark.parametrize("lost", ["process", "node"])
def test_lock_of_a_migration_ends_with_its_process_or_node(
    cluster: list[Node], service: Service, name: str, tmp_path: Path, lost: str
) -> None:
    write_migration(service.folder, "0002_further.py", PAUSE)
    first = Upgrade(service, url(cluster[0], name), tmp_path / "first", pause=600)
    eventually(lambda: first.migrates, lambda: first.log)
    second = Upgrade(service, url(cluster[1], name), tmp_path / "second", pause=0)
    eventually(lambda: second.waits, lambda: second.log)
    if lost == "node":
        cluster[0].kill()
    first.process.kill()
    first.process.wait()
    second.succeed()
    assert second.migrates
    if lost == "node":
        cluster[0].start()


@drivers
@pytest.mark.usefixtures("further")
def test_migration_ends_transactions_that_may_be_retried(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    with serving(service, url(cluster[1], name)) as running, load(running.client.base_url) as sent:
        sent.wait_for(50, 201)
        upgrade = Upgrade(service, url(cluster[0], name), tmp_path / "log", pause=1)
        upgrade.succeed()
        sent.wait_for(50, 201, after=time.monotonic())
    assert_only_503s(sent, running)
    noted(f"{driver}, migration on another node: {figures(sent)}")
