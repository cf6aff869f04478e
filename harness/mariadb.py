"""MariaDB, which is a package of the operating system."""

import getpass
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pymysql

from harness.servers import SECONDS_TO_INITIALIZE, SYSTEM_PATH, Server


class MySQLFamily(Server):
    """What MySQL and MariaDB have in common."""

    user = getpass.getuser()  # of the operating system
    password = ""

    def _data_options(self) -> list[str]:
        return [f"--user={self.user}", f"--datadir={self.folder / 'data'}"]

    def _server_options(self) -> list[str]:
        return [
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
            password=self.password,
            database=database,
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
        )


class MariaDB(MySQLFamily):
    """MariaDB of the system; with `base`, that of a folder with `bin`, `sbin` and `share`."""

    def __init__(self, folder: Path, base: Path | None = None) -> None:
        super().__init__(folder)
        self.base = base
        self.program = self._find("mariadbd")
        options = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        # Relative to the folder, because this shell script splits a path at its spaces.
        options += ["--datadir=./data"]
        subprocess.run(
            [self._find("mariadb-install-db"), *self._data_options(), *options],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=SECONDS_TO_INITIALIZE,
            env=self.environment,
        )

    def _find(self, program: str) -> str:
        found = shutil.which(program, path=self.environment["PATH"])
        if found is None:
            raise RuntimeError("MariaDB is not installed: apt-get install mariadb-server")
        return found

    @property
    def environment(self) -> dict[str, str]:
        folders = [str(self.base / "bin"), str(self.base / "sbin")] if self.base else []
        return super().environment | {"PATH": ":".join([*folders, SYSTEM_PATH])}

    def _data_options(self) -> list[str]:
        base = [f"--basedir={self.base}"] if self.base else []
        return ["--no-defaults", *base, *super()._data_options()]

    def command(self) -> list[str]:
        return [self.program, *self._data_options(), *self._server_options()]

    @property
    def address(self) -> str:
        return f"root@127.0.0.1:{self.port}"

    def create_database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
