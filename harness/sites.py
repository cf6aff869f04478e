"""Where a restore drill takes place: the databases of a service, and the users of its server."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from harness.postgresql import PostgreSQL
from harness.servers import Server
from harness.waiting import eventually

# The names in the document of a service with the default name; the user is called LIVE too.
LIVE = "my_service"
RESTORED = f"{LIVE}_restored"
PASSWORD = "secret"
# Responses that must arrive while a backup is waiting.
WRITTEN_DURING_THE_BACKUP = 20


class Site(ABC):
    """The databases, how to lose the live one, and how the commands of the document connect."""

    vendor: str
    # A pattern: what a successful restore prints.
    restoring_prints: str
    programs = "/usr/bin"
    as_service: Mapping[str, str]
    as_administrator: Mapping[str, str]

    @abstractmethod
    def url(self, database: str) -> str:
        """The URL of a database, for the service."""

    @abstractmethod
    def lose(self) -> None:
        """Delete the live database."""

    @abstractmethod
    def overlap(self, back_up: Callable[[], object], written: Callable[[], int]) -> None:
        """Back up while transactions of others are open; `written` is the number of commits."""


class SQLiteSite(Site):
    """Files in the folder of a service."""

    vendor = "Python"
    restoring_prints = r"\('ok',\)"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.as_service = self.as_administrator = {}

    def url(self, database: str) -> str:
        return f"sqlite:///{database}.db"

    def lose(self) -> None:
        for file in self.folder.glob(f"{LIVE}.db*"):
            file.unlink()

    def overlap(self, back_up: Callable[[], object], written: Callable[[], int]) -> None:
        file = self.folder / f"{LIVE}.db"
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE budgets SET credits = credits + 1")
            back_up()
            writer.execute("ROLLBACK")


class ServerSite(Site):
    """Databases of a server, whose administrator locks a table until a backup has waited for it."""

    # Locks a table that comes between `budgets` and `tasks`, which clients write to, in a backup.
    lock: Sequence[str]
    # How many clients are waiting for that lock.
    waiting: str

    def __init__(self, server: Server) -> None:
        self.server = server

    def lose(self) -> None:
        self.server.drop_database(LIVE)

    def overlap(self, back_up: Callable[[], object], written: Callable[[], int]) -> None:
        with ThreadPoolExecutor(1) as thread, closing(self.server.connect(LIVE)) as holder:
            cursor = holder.cursor()
            for statement in self.lock:
                cursor.execute(statement)
            backup = thread.submit(back_up)
            eventually(lambda: backup.done() or self.server.execute(self.waiting)[0][0])
            assert not backup.done(), backup.exception() or "the backup did not wait"
            enough = written() + WRITTEN_DURING_THE_BACKUP
            eventually(lambda: written() >= enough, lambda: "writes wait for the backup")
        backup.result()

    @abstractmethod
    def create(self) -> None: ...

    @abstractmethod
    def drop(self) -> None: ...


class PostgreSQLSite(ServerSite):
    vendor = "PostgreSQL"
    restoring_prints = f'vacuumdb: vacuuming database "{RESTORED}"'
    lock = ("BEGIN", "LOCK TABLE prompts IN ACCESS EXCLUSIVE MODE")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
    )

    def __init__(self, server: PostgreSQL) -> None:
        super().__init__(server)
        self.programs = str(Path(server.program("pg_dump")).parent)
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
        self.as_service = address | {"PGUSER": LIVE}
        self.as_administrator = address | {"PGUSER": "postgres"}

    def url(self, database: str) -> str:
        return f"postgresql://{LIVE}@127.0.0.1:{self.server.port}/{database}"

    def create(self) -> None:
        self.server.execute(f"CREATE ROLE {LIVE} LOGIN")
        self.server.execute(f"CREATE DATABASE {LIVE} OWNER {LIVE}")

    def drop(self) -> None:
        for name in (LIVE, RESTORED):
            self.server.drop_database(name)
        self.server.execute(f"DROP ROLE {LIVE}")


class MySQLSite(ServerSite):
    """MySQL or MariaDB; `homes` is a folder for the home folders of its users."""

    restoring_prints = "-- Dump completed on .+"
    # Foreign keys would extend the lock of `prompts` to `budgets`.
    lock = ("CREATE TABLE pause (id INT PRIMARY KEY)", "LOCK TABLES pause WRITE")
    waiting = (
        "SELECT count(*) FROM information_schema.processlist"
        " WHERE state = 'Waiting for table metadata lock'"
    )

    def __init__(self, server: Server, vendor: str, homes: Path, programs: str = "/usr/bin"):
        super().__init__(server)
        self.vendor = vendor
        self.homes = homes
        self.programs = programs
        self.as_service = self._home(LIVE, PASSWORD)
        administrator = urlsplit(f"mysql://{server.address}")
        self.as_administrator = self._home("root", administrator.password or "")

    def _home(self, user: str, password: str) -> dict[str, str]:
        folder = self.homes / user
        folder.mkdir()
        (folder / ".my.cnf").write_text(
            f"[client]\nhost=127.0.0.1\nport={self.server.port}\nuser={user}\npassword={password}\n"
        )
        return {"HOME": str(folder)}

    def url(self, database: str) -> str:
        return f"mysql://{LIVE}:{PASSWORD}@127.0.0.1:{self.server.port}/{database}"

    def create(self) -> None:
        self.server.create_database(LIVE)
        self.server.execute(f"CREATE USER {LIVE} IDENTIFIED BY '{PASSWORD}'")
        self.server.execute(f"GRANT ALL ON {LIVE}.* TO {LIVE}")

    def drop(self) -> None:
        for name in (LIVE, RESTORED):
            self.server.drop_database(name)
        self.server.execute(f"DROP USER {LIVE}")


@contextmanager
def created(site: ServerSite) -> Iterator[ServerSite]:
    """The site with an empty live database, which is dropped afterwards."""
    site.create()
    try:
        yield site
    finally:
        site.drop()
