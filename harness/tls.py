"""Servers with TLS, whose certificate is for `localhost`."""

import shutil
from pathlib import Path

from harness.certificates import Authority
from harness.mariadb import MariaDB
from harness.postgresql import PostgreSQL
from harness.servers import IS_ROOT, SYSTEM_PATH

PASSWORD = "secret"


class TLSPostgreSQL(PostgreSQL):
    """The PostgreSQL of the operating system: that of the Python package has no TLS.

    The database `app` accepts only TLS, and the password of `ada`, whose SCRAM binds the channel.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.certificate, self.key = self.authority.sign("localhost")
        self.key.chmod(0o600)
        if IS_ROOT:
            for file in (self.certificate, self.key):
                shutil.chown(file, "nobody")
        super().__init__(folder)
        rules = "hostssl app ada all scram-sha-256\nhost postgres all all trust\n"
        (folder / "data" / "pg_hba.conf").write_text(rules)

    @staticmethod
    def program(name: str) -> str:
        folders = map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
        found = shutil.which(name, path=":".join([*folders, SYSTEM_PATH]))
        if found is None:
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        return found

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "localhost",
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.key,
        }
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return [*super().command(), *options]

    def start(self) -> None:
        super().start()
        self.execute(f"CREATE ROLE ada LOGIN PASSWORD '{PASSWORD}'")
        self.execute("CREATE DATABASE app OWNER ada")


class TLSMariaDB(MariaDB):
    """MariaDB whose user `ada` is accepted only with TLS."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.certificate, self.key = self.authority.sign("localhost")
        super().__init__(folder)

    def command(self) -> list[str]:
        files = [f"--ssl-cert={self.certificate}", f"--ssl-key={self.key}"]
        return [*super().command(), *files]

    def start(self) -> None:
        super().start()
        self.execute("CREATE DATABASE app")
        self.execute(f"CREATE USER ada IDENTIFIED BY '{PASSWORD}' REQUIRE SSL")
        self.execute("GRANT ALL ON app.* TO ada")
