"""MariaDB, which is a package of the operating system."""

import getpass
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pymysql

from harness.servers import SECONDS_TO_INITIALIZE, SYSTEM_PATH, Server


class MySQLFamily(Server):
    """What MySQL and MariaDB have in common."""

    password = ""

    def _data_options(self) -> list[str]:
        return [f"--user={getpass.getuser()}", f"--datadir={self.folder / 'data'}"]

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
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = shutil.which("mariadbd", path=SYSTEM_PATH)
        if program is None:
            raise RuntimeError("MariaDB is not installed: apt-get install mariadb-server")
        self.program = program
        options = ["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]
        subprocess.run(
            ["mariadb-install-db", *options, *self._data_options()],
            check=True,
            capture_output=True,
            timeout=SECONDS_TO_INITIALIZE,
            env=os.environ | {"TMPDIR": str(folder)},
        )

    def command(self) -> list[str]:
        return [self.program, "--no-defaults", *self._data_options(), *self._server_options()]

    @property
    def address(self) -> str:
        return f"root@127.0.0.1:{self.port}"

    def create_database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
