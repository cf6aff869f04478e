"""The rendered services, servers and databases of one run, created on first use."""

import sys
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import httpx2

from benchmarks.contenders import SCHEMES, SECRET, Contender, Serving, serving
from benchmarks.data import Data, log_in, seed
from benchmarks.endpoints import add_endpoints
from benchmarks.schedule import Schedule
from harness.mariadb import MariaDB
from harness.projects import git, releases
from harness.rendering import ROOT, export, render
from harness.running import settings
from harness.servers import Server, running
from harness.services import Service
from harness.standbys import ReplicatedPostgreSQL
from harness.variants import FAMILIES


class LargePostgreSQL(ReplicatedPostgreSQL):
    max_connections = 800  # for the pools of all contenders together


# The release whose figures are the base of goals.
RELEASE = "2.3.0"
SERVERS: dict[str, type[Server]] = {"postgresql": LargePostgreSQL, "mysql": MariaDB}


@dataclass(frozen=True)
class Database:
    """A database with rows; `location` is its URL without the scheme."""

    name: str
    location: str
    data: Data


class Bench:
    def __init__(self, folder: Path, schedule: Schedule, stack: ExitStack) -> None:
        self.folder = folder
        self.schedule = schedule
        self.stack = stack
        self.template = export(folder / "template")
        self.copies = 0
        # Per instance, so that the caches do not outlive it.
        self.server = cache(self._server)
        self.seeded = cache(self._seeded)
        self.service = cache(self._service)
        self.released = cache(self._released)

    def _service(
        self, driver: str, *, accounts: bool = False, workers: int = 1, telemetry: bool = False
    ) -> Contender:
        """A rendered service."""
        auth = "jwt" if accounts else "none"
        exported = "opentelemetry" if telemetry else "none"
        folder = self.folder / f"{driver}-{auth}-{exported}"
        if not folder.exists():
            render(self.template, folder, driver=driver, auth=auth, telemetry=exported)
            if not accounts:  # with accounts, tasks have owners
                add_endpoints(folder)
        return Contender("service", driver, folder, accounts, workers)

    def _released(self, driver: str) -> Contender:
        """A service of the release that goals compare with; needs the history of git."""
        template = self.folder / f"template-{RELEASE}"
        if not template.exists():
            template.mkdir()
            packed = f"{template}.tar"
            git(ROOT, "archive", "--format=tar", f"--output={packed}", releases()[RELEASE])
            with tarfile.open(packed) as archive:
                archive.extractall(template, filter="data")
        folder = render(template, self.folder / f"{driver}-{RELEASE}", driver=driver)
        return Contender("service", driver, folder, variant=RELEASE)

    def _server(self, family: str) -> Server:
        return self.stack.enter_context(running(SERVERS[family]))

    def _seeded(self, family: str, *, accounts: bool = False) -> Database:
        """A database with the rows of `seed` and without connections."""
        driver = next(driver for driver in SCHEMES if FAMILIES[driver] == family)
        contender = self.service(driver, accounts=accounts)
        name = f"seeded_{driver}_{'accounts' if accounts else 'none'}"
        location = self.location(family, name)
        if family != "sqlite":
            self.server(family).create_database(name)
        url = f"{SCHEMES[driver]}://{location}"
        assert contender.service is not None
        service = Service(contender.service, Path(sys.prefix))
        migrate = [sys.executable, "-m", "alembic", "upgrade", "head"]
        service.succeed(*migrate, **settings(url, {"secret_key": SECRET}))
        with serving(contender, location) as made:
            return Database(name, location, seed(made.address, accounts=accounts))

    def location(self, family: str, name: str) -> str:
        if family == "sqlite":
            return f"/{self.folder}/{name}.db"
        return f"{self.server(family).address}/{name}"

    def database(self, driver: str, *, accounts: bool = False) -> Database:
        """A seeded database: on PostgreSQL a new copy, elsewhere the same one for all sections."""
        seeded = self.seeded(FAMILIES[driver], accounts=accounts)
        if FAMILIES[driver] != "postgresql":
            return seeded
        self.copies += 1
        name = f"copy_{self.copies}"
        server = self.server("postgresql")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {seeded.name}")
        with server.connect(name) as connection:
            connection.execute("VACUUM ANALYZE")
        return Database(name, self.location("postgresql", name), seeded.data)

    @contextmanager
    def serving(self, contenders: Iterable[Contender], location: str) -> Iterator[list[Serving]]:
        """All contenders at the same time; those without requests use no CPU."""
        with ExitStack() as stack:

            def start(contender: Contender) -> Serving:
                return with_user(stack.enter_context(serving(contender, location)))

            with ThreadPoolExecutor(2) as threads:
                started = list(threads.map(start, contenders))
            yield started


def with_user(served: Serving) -> Serving:
    if not served.contender.accounts:
        return served
    with httpx2.Client(base_url=served.address, timeout=60) as client:
        return replace(served, headers=log_in(client))
