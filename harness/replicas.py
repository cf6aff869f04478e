"""A primary of MariaDB or MySQL and its replica, which can lag and be killed."""

import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from harness.mariadb import MariaDB, MySQLFamily
from harness.mysql import MySQL


class Replicated(MySQLFamily):
    """A primary with a binary log, or with `primary` a replica of it."""

    def __init__(self, folder: Path, primary: Self | None = None) -> None:
        self.primary = primary
        super().__init__(folder)

    def _server_options(self) -> list[str]:
        options = [option for option in super()._server_options() if option != "--skip-log-bin"]
        own = ["--log-bin=binlog", "--binlog-format=ROW", f"--server-id={self.port}"]
        return [*options, *own, f"--read-only={'OFF' if self.primary is None else 'ON'}"]

    @abstractmethod
    def follow(self, primary: Self) -> None:
        """Apply all changes of the primary, from its first one."""

    @abstractmethod
    def delay(self, seconds: int) -> None:
        """Apply each change so long after the primary."""

    @abstractmethod
    def wait_for_replay(self, primary: Self) -> None:
        """Wait until this replica shows what is committed on the primary now."""


class ReplicatedMariaDB(Replicated, MariaDB):
    def follow(self, primary: Self) -> None:
        self.execute(
            f"CHANGE MASTER TO master_host = '127.0.0.1', master_port = {primary.port},"
            " master_user = 'root', master_use_gtid = slave_pos, master_connect_retry = 1"
        )
        self.execute("START SLAVE")

    def delay(self, seconds: int) -> None:
        self.execute("STOP SLAVE")
        self.execute(f"CHANGE MASTER TO master_delay = {seconds}")
        self.execute("START SLAVE")

    def wait_for_replay(self, primary: Self) -> None:
        [(position,)] = primary.execute("SELECT @@gtid_binlog_pos")
        assert self.execute("SELECT master_gtid_wait(%s, 30)", position) == [(0,)]


class ReplicatedMySQL(Replicated, MySQL):
    def _server_options(self) -> list[str]:
        return [*super()._server_options(), "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]

    def follow(self, primary: Self) -> None:
        self.execute(
            f"CHANGE REPLICATION SOURCE TO source_host = '127.0.0.1', source_port = {primary.port},"
            f" source_user = 'root', source_password = '{self.password}',"
            " get_source_public_key = 1, source_auto_position = 1, source_connect_retry = 1"
        )
        self.execute("START REPLICA")

    def delay(self, seconds: int) -> None:
        self.execute("STOP REPLICA")
        self.execute(f"CHANGE REPLICATION SOURCE TO source_delay = {seconds}")
        self.execute("START REPLICA")

    def wait_for_replay(self, primary: Self) -> None:
        [(executed,)] = primary.execute("SELECT @@gtid_executed")
        assert self.execute("SELECT wait_for_executed_gtid_set(%s, 30)", executed) == [(0,)]


# The replicated server of each kind that tests use.
REPLICATED: dict[type, type[Replicated]] = {MariaDB: ReplicatedMariaDB, MySQL: ReplicatedMySQL}


@contextmanager
def primary_and_replica(kind: type = MariaDB) -> Iterator[tuple[Replicated, Replicated]]:
    """A running primary and its replica, in temporary folders."""
    with tempfile.TemporaryDirectory(prefix=f"{kind.__name__.lower()}-pair-") as name:
        folders = [Path(name, each) for each in ("primary", "replica")]
        for folder in folders:
            folder.mkdir()
        primary = REPLICATED[kind](folders[0])
        try:
            primary.start()
            replica = REPLICATED[kind](folders[1], primary)
            try:
                replica.start()
                replica.follow(primary)
                yield primary, replica
            finally:
                replica.stop()
        finally:
            primary.stop()
