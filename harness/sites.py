"""Where a restore drill takes place: the databases of a service, and the users of its server."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.postgresql import PostgreSQL
from harness.servers import Server

# The names in the documents of a service with the default name; the user is called LIVE too.
LIVE = "my_service"
RESTORED = f"{LIVE}_restored"
PASSWORD = "secret"


@dataclass(frozen=True)
class Site:
    """The URLs of the databases, how to lose the live one, and how the client programs connect.

    `prints` is a pattern: what a restore prints if it succeeds.
    """

    vendor: str
    prints: str
    live: str
    restored: str
    lose: Callable[[], object]
    as_service: Mapping[str, str] = field(default_factory=dict)
    as_administrator: Mapping[str, str] = field(default_factory=dict)
    programs: str = "/usr/bin"


def sqlite_site(folder: Path) -> Site:
    """Files in the folder of a service."""

    def lose() -> None:
        for file in folder.glob(f"{LIVE}.db*"):
            file.unlink()

    return Site("Python", r"\('ok',\)", f"sqlite:///{LIVE}.db", f"sqlite:///{RESTORED}.db", lose)


@contextmanager
def postgresql_site(server: PostgreSQL) -> Iterator[Site]:
    server.execute(f"CREATE ROLE {LIVE} LOGIN")
    server.execute(f"CREATE DATABASE {LIVE} OWNER {LIVE}")
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
    url = f"postgresql://{LIVE}@127.0.0.1:{server.port}"
    try:
        yield Site(
            "PostgreSQL",
            f'vacuumdb: vacuuming database "{RESTORED}"',
            f"{url}/{LIVE}",
            f"{url}/{RESTORED}",
            lambda: server.drop_database(LIVE),
            address | {"PGUSER": LIVE},
            address | {"PGUSER": "postgres"},
            str(Path(server.program("pg_dump")).parent),
        )
    finally:
        for name in (LIVE, RESTORED):
            server.drop_database(name)
        server.execute(f"DROP ROLE {LIVE}")


@contextmanager
def mysql_site(
    server: Server, vendor: str, homes: Path, programs: str = "/usr/bin"
) -> Iterator[Site]:
    """A database of MySQL or MariaDB; `homes` is for the folders with the files `.my.cnf`."""

    def home(user: str, password: str) -> dict[str, str]:
        folder = homes / user
        folder.mkdir()
        (folder / ".my.cnf").write_text(
            f"[client]\nhost=127.0.0.1\nport={server.port}\nuser={user}\npassword={password}\n"
        )
        return {"HOME": str(folder)}

    server.create_database(LIVE)
    server.execute(f"CREATE USER {LIVE} IDENTIFIED BY '{PASSWORD}'")
    server.execute(f"GRANT ALL ON {LIVE}.* TO {LIVE}")
    url = f"mysql://{LIVE}:{PASSWORD}@127.0.0.1:{server.port}"
    try:
        yield Site(
            vendor,
            "-- Dump completed on .+",
            f"{url}/{LIVE}",
            f"{url}/{RESTORED}",
            lambda: server.drop_database(LIVE),
            home(LIVE, PASSWORD),
            home("root", ""),
            programs,
        )
    finally:
        for name in (LIVE, RESTORED):
            server.drop_database(name)
        server.execute(f"DROP USER {LIVE}")
