"""Database servers for tests, which can be stopped and killed and keep their data."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import psutil
import psycopg
import pymysql

from harness.waiting import eventually, free_port, wait_until_reachable

SECONDS_TO_INITIALIZE = 120
SECONDS_TO_STOP = 30
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

# PostgreSQL and PgBouncer refuse to run as root.
IS_ROOT = os.getuid() == 0
UNPRIVILEGED: dict[str, Any] = {"user": "nobody", "extra_groups": []} if IS_ROOT else {}


class Server(ABC):
    """A server with a fixed port, in a folder that outlives its processes."""

    created: ClassVar = 0  # by this process and by services that it runs
    unprivileged = False
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        Server.created += 1
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """The command that runs the server in the foreground."""

    @abstractmethod
    def connect(self, database: str | None = None) -> Any:
        """A connection of the administrator, in autocommit mode."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The part of a database URL between the scheme and the database: user, host and port."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the server's programs."""
        # MariaDB deletes the temporary files of other servers in the same folder.
        return os.environ | {"TMPDIR": str(self.folder)}

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                **(UNPRIVILEGED if self.unprivileged else {}),
            )
        errors = (psycopg.OperationalError, pymysql.OperationalError)
        wait_until_reachable(lambda: self.connect().close(), errors, self.process, log)

    def stop(self) -> None:
        """Stop the server as an operator would, disconnecting its clients."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill all processes of the server at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # so that it does not start more children
        children = psutil.Process(self.process.pid).children(recursive=True)
        for child in children:
            child.kill()
        self.process.kill()
        self.process.wait()
        # PostgreSQL does not start again while one of its children is alive.
        psutil.wait_procs(children, timeout=SECONDS_TO_STOP)

    def freeze(self) -> None:
        """Stop all processes of the server from running; its connections stay open."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # a connection has ended
                process.suspend()
        eventually(lambda: all(map(is_stopped, processes)))

    def thaw(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _processes(self) -> list[psutil.Process]:
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def execute(
        self, statement: str, *parameters: Any, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute a statement as the administrator and return its rows."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def create_database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {name}")

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name}")

    def recreate_database(self, name: str) -> None:
        """Create an empty database, whatever an earlier test has left."""
        self.drop_database(name)
        self.create_database(name)


def is_stopped(process: psutil.Process) -> bool:
    """Whether no thread of the process runs: they stop one after the other."""
    try:
        states = [
            Path(f"/proc/{process.pid}/task/{thread.id}/status").read_text()
            for thread in process.threads()
        ]
    except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
        return True  # it has ended
    return all(re.search(r"^State:\t[TZ]", state, re.MULTILINE) for state in states)


@contextmanager
def running(kind: type[Server]) -> Iterator[Server]:
    """A running server in a temporary folder."""
    # Not in pytest's folder, which is closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix=f"{kind.__name__.lower()}-") as name:
        if IS_ROOT and kind.unprivileged:
            shutil.chown(name, "nobody")
        server = kind(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()
