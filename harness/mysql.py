"""MySQL, unlike MariaDB not a package of Debian's stable release."""

import subprocess
from pathlib import Path

from harness import debian
from harness.mariadb import MySQLFamily
from harness.servers import SECONDS_TO_INITIALIZE

RELEASE = "sid"


class MySQL(MySQLFamily):
    # Clients log in as they do to a server in production, by `caching_sha2_password`.
    password = "test"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.installation = debian.unpacked("mysql-server-core", RELEASE)
        subprocess.run(
            [*self._program(), "--initialize-insecure"],
            check=True,
            capture_output=True,
            timeout=SECONDS_TO_INITIALIZE,
            env=self.environment,
        )
        self._set_password = folder / "set_password.sql"
        self._set_password.write_text(
            "SET sql_log_bin = OFF;\n"  # replicas have this user too
            f"ALTER USER root@localhost IDENTIFIED BY '{self.password}';\n"
        )

    def _program(self) -> list[str]:
        usr = self.installation / "usr"
        return [
            *debian.loading(self.installation),
            str(usr / "sbin" / "mysqld"),
            "--no-defaults",
            f"--basedir={usr}",
            *self._data_options(),
        ]

    def command(self) -> list[str]:
        return [
            *self._program(),
            f"--init-file={self._set_password}",
            *self._server_options(),
            "--mysqlx=OFF",
            "--secure-file-priv=NULL",
        ]

    @property
    def address(self) -> str:
        return f"root:{self.password}@127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        ((version,),) = self.execute("SELECT version()")
        return str(version)
