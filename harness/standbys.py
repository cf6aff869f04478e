"""A PostgreSQL primary and its streaming standby, which change roles and can be killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.postgresql import PostgreSQL
from harness.servers import IS_ROOT
from harness.waiting import eventually


class ReplicatedPostgreSQL(PostgreSQL):
    """A primary, or with `primary` a standby of it. Both keep their port when they change roles."""

    def __init__(self, folder: Path, primary: "ReplicatedPostgreSQL | None" = None) -> None:
        self.primary = primary
        super().__init__(folder)

    def initialize(self) -> None:
        if self.primary is not None:
            self.copy_from(self.primary)
            return
        super().initialize()
        # In the file, because pg_rewind starts the server without the options of `command`.
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("wal_keep_size = 256MB\nwal_log_hints = on\n")

    @property
    def is_standby(self) -> bool:
        [(in_recovery,)] = self.execute("SELECT pg_is_in_recovery()")
        return bool(in_recovery)

    def copy_from(self, primary: "ReplicatedPostgreSQL") -> None:
        """Become a standby with a new copy of the primary's data; `start` begins to stream."""
        shutil.rmtree(self.data, ignore_errors=True)
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        self.run("pg_basebackup", *options, f"--pgdata={self.data}", f"--dbname={primary.dsn}")

    def rejoin(self, primary: "ReplicatedPostgreSQL") -> None:
        """Start, after having been stopped or killed as the primary, as a standby of the new one.

        Commits that the new primary does not have are undone.
        """
        primary.execute("CHECKPOINT")  # pg_rewind reads the new timeline from the control file
        options = ["--write-recovery-conf", "--no-sync", f"--target-pgdata={self.data}"]
        self.run("pg_rewind", *options, f"--source-server={primary.dsn} dbname=postgres")
        self.start()
        self.configure(synchronous_standby_names="")  # for its next promotion

    def promote(self) -> None:
        """Turn a standby into a primary, and wait until it accepts writes."""
        self.execute("SELECT pg_promote()")
        eventually(lambda: not self.is_standby)

    def configure(self, **settings: str) -> None:
        """Change settings that need no restart, also on a standby; an empty value is the default.

        For example `recovery_min_apply_delay="5s"` on a standby.
        """
        [(before,)] = self.execute("SELECT pg_conf_load_time()")
        for name, value in settings.items():
            self.execute(
                f"ALTER SYSTEM SET {name} = '{value}'" if value else f"ALTER SYSTEM RESET {name}"
            )
        self.execute("SELECT pg_reload_conf()")
        eventually(lambda: self.execute("SELECT pg_conf_load_time() > %s", before) == [(True,)])

    def wait_for_replay(self, primary: "ReplicatedPostgreSQL") -> None:
        """Wait until this standby shows what is committed on the primary now."""
        [(position,)] = primary.execute("SELECT pg_current_wal_lsn()")
        query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        eventually(lambda: self.execute(query, position) == [(True,)])

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres"


class Pair:
    """A primary and its standby: `first` is the primary until a failover."""

    def __init__(self, first: ReplicatedPostgreSQL, second: ReplicatedPostgreSQL) -> None:
        self.first = first
        self.second = second

    @property
    def address(self) -> str:
        """The part of a database URL between the scheme and the database, with both hosts."""
        return f"{self.first.address},127.0.0.1:{self.second.port}"

    def replicate_synchronously(self) -> None:
        """Let each commit on the first server wait until the second one has stored it."""
        self.first.configure(synchronous_standby_names="*")
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        eventually(lambda: self.first.execute(query) == [(1,)])


@contextmanager
def primary_and_standby() -> Iterator[Pair]:
    """A running primary and its streaming standby, in temporary folders."""
    with tempfile.TemporaryDirectory(prefix="postgresql-pair-") as name:
        folders = [Path(name, each) for each in ("first", "second")]
        for folder in (Path(name), *folders):
            folder.mkdir(exist_ok=True)
            if IS_ROOT:
                shutil.chown(folder, "nobody")
        first = ReplicatedPostgreSQL(folders[0])
        try:
            first.start()
            second = ReplicatedPostgreSQL(folders[1], first)
            try:
                second.start()
                yield Pair(first, second)
            finally:
                second.stop()
        finally:
            first.stop()
