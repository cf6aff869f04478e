"""A MariaDB primary and its replica, which can lag and be killed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.mariadb import MariaDB


class ReplicatedMariaDB(MariaDB):
    """A primary with a binary log, or with `primary` a replica of it."""

    def __init__(self, folder: Path, primary: "ReplicatedMariaDB | None" = None) -> None:
        self.primary = primary
        super().__init__(folder)

    def _server_options(self) -> list[str]:
        options = [option for option in super()._server_options() if option != "--skip-log-bin"]
        own = ["--log-bin=binlog", "--binlog-format=ROW", f"--server-id={self.port}"]
        return [*options, *own, f"--read-only={'OFF' if self.primary is None else 'ON'}"]

    def follow(self, primary: "ReplicatedMariaDB") -> None:
        """Apply all changes of the primary, from its first one."""
        self.execute(
            f"CHANGE MASTER TO master_host = '127.0.0.1', master_port = {primary.port},"
            " master_user = 'root', master_use_gtid = slave_pos, master_connect_retry = 1"
        )
        self.execute("START SLAVE")

    def delay(self, seconds: int) -> None:
        """Apply each change so long after the primary."""
        self.execute("STOP SLAVE")
        self.execute(f"CHANGE MASTER TO master_delay = {seconds}")
        self.execute("START SLAVE")

    def wait_for_replay(self, primary: "ReplicatedMariaDB") -> None:
        """Wait until this replica shows what is committed on the primary now."""
        [(position,)] = primary.execute("SELECT @@gtid_binlog_pos")
        assert self.execute("SELECT master_gtid_wait(%s, 30)", position) == [(0,)]


@contextmanager
def primary_and_replica() -> Iterator[tuple[ReplicatedMariaDB, ReplicatedMariaDB]]:
    """A running primary and its replica, in temporary folders."""
    with tempfile.TemporaryDirectory(prefix="mariadb-pair-") as name:
        folders = [Path(name, each) for each in ("primary", "replica")]
        for folder in folders:
            folder.mkdir()
        primary = ReplicatedMariaDB(folders[0])
        try:
            primary.start()
            replica = ReplicatedMariaDB(folders[1], primary)
            try:
                replica.start()
                replica.follow(primary)
                yield primary, replica
            finally:
                replica.stop()
        finally:
            primary.stop()
