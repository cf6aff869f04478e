"""MySQL, unlike MariaDB not a package of Debian's stable release."""

import getpass
import os
import subprocess
from pathlib import Path
from typing import Any

import pymysql

from harness import debian
from harness.servers import SECONDS_TO_INITIALIZE, Server

RELEASE = "sid"
# With a password, clients log in as they do to a server in production, by `caching_sha2_password`.
PASSWORD = "test"


class MySQL(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.installation = debian.unpacked("mysql-server-core", RELEASE)
        subprocess.run(
            [*self._program(), "--initialize-insecure"],
            check=True,
            capture_output=True,
            timeout=SECONDS_TO_INITIALIZE,
            env=os.environ | {"TMPDIR": str(folder)},
        )
        self._set_password = folder / "set_password.sql"
        self._set_password.write_text(f"ALTER USER root@localhost IDENTIFIED BY '{PASSWORD}';\n")

    def _program(self) -> list[str]:
        usr = self.installation / "usr"
        return [
            *debian.loading(self.installation),
            str(usr / "sbin" / "mysqld"),
            "--no-defaults",
            f"--basedir={usr}",
            f"--user={getpass.getuser()}",
            f"--datadir={self.folder / 'data'}",
        ]

    def command(self) -> list[str]:
        return [
            *self._program(),
            f"--init-file={self._set_password}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--mysqlx=OFF",
            "--secure-file-priv=NULL",
            "--skip-log-bin",
            "--innodb-buffer-pool-size=64M",
        ]

    def connect(self, database: str | None = None) -> Any:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            password=PASSWORD,
            database=database,
            connect_timeout=5,
            read_timeout=30,
            autocommit=True,
        )

    @property
    def address(self) -> str:
        return f"root:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        ((version,),) = self.execute("SELECT version()")
        return str(version)
