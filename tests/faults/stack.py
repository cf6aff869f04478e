"""A rendered service on a database server, with endpoints for the tests."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.running import Running, serving, settings
from harness.servers import Server
from harness.services import Service
from harness.variants import FAMILIES

SLEEP = {"postgresql": "SELECT pg_sleep(:seconds)", "mysql": "SELECT SLEEP(:seconds)"}
LIMITS = {
    "postgresql": "SELECT name, setting FROM pg_settings WHERE name LIKE '%_timeout'",
    "mysql": "SHOW VARIABLES WHERE variable_name REGEXP 'timeout|_time$|sql_mode'",
}

# Endpoints that use the sessions of the service.
ENDPOINTS = """
import asyncio  # noqa: E402
from collections.abc import AsyncIterator  # noqa: E402

from fastapi import HTTPException  # noqa: E402
from fastapi.responses import StreamingResponse  # noqa: E402
from sqlalchemy import Integer, Select, cast, literal_column, select, text  # noqa: E402

from app.database import ReadSession, Session  # noqa: E402
from app.sync_database import SyncSession  # noqa: E402


@app.get("/slow")
async def slow(session: Session, seconds: float) -> None:
    await session.execute(text("{sleep}"), {{"seconds": seconds}})


@app.get("/slow-synchronously")
def slow_synchronously(session: SyncSession, seconds: float) -> None:
    session.execute(text("{sleep}"), {{"seconds": seconds}})


@app.get("/slow-commit")
async def slow_commit(session: Session, seconds: float) -> None:
    await session.execute(text("UPDATE projects SET version = version"))
    await asyncio.sleep(seconds)


@app.get("/slow-rollback")
async def slow_rollback(session: Session, seconds: float) -> None:
    await slow_commit(session, seconds)
    raise HTTPException(404)


@app.get("/stream")
async def stream(seconds: float, pause: float = 0) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        async with app.state.database.write() as session:
            while True:
                await session.execute(text("{sleep}"), {{"seconds": seconds}})
                yield "."
                await asyncio.sleep(pause)

    return StreamingResponse(parts())


@app.get("/limits")
async def limits(session: Session) -> dict[str, str]:
    return {{name: value for name, value in await session.execute(text({limits!r}))}}


def shaped(shape: int, number: int) -> Select[int]:
    return select(cast(number, Integer) + literal_column(str(shape)))


@app.get("/shape/{{shape}}")
async def written(session: Session, shape: int, number: int) -> int | None:
    return await session.scalar(shaped(shape, number))


@app.get("/shape-for-reading/{{shape}}")
async def read(session: ReadSession, shape: int, number: int) -> int | None:
    return await session.scalar(shaped(shape, number))
"""

SQLITE_ENDPOINTS = """
from uuid import UUID  # noqa: E402

from sqlalchemy import select, text  # noqa: E402

from app.database import Session  # noqa: E402
from app.models import Project  # noqa: E402


@app.post("/lengthen/{project_id}")
async def lengthen(session: Session, project_id: UUID) -> int:
    project = await session.get_one(Project, project_id)
    project.description += "+"
    return len(project.description)


@app.get("/pragmas/{kind}")
async def pragmas(kind: str) -> dict[str, str]:
    names = ("foreign_keys", "journal_mode", "busy_timeout", "synchronous")
    async with getattr(app.state.database, kind)() as session:
        return {
            name: str(await session.scalar(select(text("*")).select_from(text(f"pragma_{name}"))))
            for name in names
        }
"""


JOBS = '''"""Jobs of the tests."""

import asyncio
import os
from datetime import timedelta
from uuid import uuid4

from app.core.outbox import BackgroundJob, JobContext
from app.models import Project
from app.settings import Settings


class Work(BackgroundJob):
    number: int
    seconds: float

    async def run(self, context: JobContext) -> None:
        if self.seconds < 0:
            os._exit(9)
        await asyncio.sleep(self.seconds)
        async with context.database.write.begin() as session:
            session.add(Project(name=f"{self.number} {uuid4()}", description=""))


class Noted(BackgroundJob):
    async def run(self, _: JobContext) -> None:
        pass


class Tick(Noted):
    @classmethod
    def every(cls, _: Settings, /) -> timedelta | None:
        seconds = float(os.environ.get("TICK_SECONDS", "0"))
        return timedelta(seconds=seconds) if seconds else None
'''

JOB_ENDPOINTS = """
import asyncio  # noqa: E402
import os  # noqa: E402

from sqlalchemy import event  # noqa: E402
from sqlalchemy.orm import Session as OrmSession  # noqa: E402
from sqlalchemy.util import await_  # noqa: E402

from app import crud  # noqa: E402
from app.core.outbox import enqueue  # noqa: E402
from app.database import Session  # noqa: E402
from app.models import Project  # noqa: E402
from app.work import Noted, Work  # noqa: E402


@app.post("/work")
async def work(session: Session, first: int, count: int, seconds: float = 0) -> None:
    for number in range(first, first + count):
        await enqueue(session, Work(number=number, seconds=seconds))


create_project = crud.create_project
noted = 0


async def create_noted_project(session: Session, *arguments: object) -> Project:
    global noted
    noted += 1
    await enqueue(session, Noted())
    if noted == int(os.environ["NOTE_PROJECTS"]):
        os._exit(9)
    return await create_project(session, *arguments)


# A job for each project, in its transaction, until the process dies between one and the other.
if "NOTE_PROJECTS" in os.environ:
    crud.create_project = create_noted_project


def delay(_: OrmSession) -> None:
    await_(asyncio.sleep(0.05))


# A response that is sent before its commit is sent long before it.
if "DELAY_COMMITS" in os.environ:
    event.listen(OrmSession, "before_commit", delay)
"""


class Stack:
    """A service for one driver, on its migrated database."""

    def __init__(self, driver: str, folder: Path, server: Server | None) -> None:
        self.driver = driver
        self.family = FAMILIES[driver]
        self.service = Service(folder, Path(sys.prefix))
        self._server = server
        self.database = f"faults_{driver}"
        extra = SQLITE_ENDPOINTS
        if self.family != "sqlite":
            extra = ENDPOINTS.format(sleep=SLEEP[self.family], limits=LIMITS[self.family])
        main = folder / "app" / "main.py"
        main.write_text(main.read_text() + extra + JOB_ENDPOINTS)
        (folder / "app" / "work.py").write_text(JOBS)
        jobs = folder / "app" / "jobs.py"
        jobs.write_text(
            jobs.read_text()
            .replace("\n\nJOBS", "\nfrom app.work import Noted, Tick, Work\n\nJOBS")
            .replace("    # Your own", "    Noted,\n    Tick,\n    Work,\n    # Your own")
        )

    @property
    def server(self) -> Server:
        assert self._server is not None, f"{self.driver} has no server"
        return self._server

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return self.service.folder / f"{self.database}.db"

    def url(self, port: int | None = None, database: str | None = None) -> str:
        """The URL of the database, or of a proxy at another port."""
        database = database or self.database
        if self._server is None:
            return f"sqlite:///{self.service.folder / database}.db"
        address = self.server.address
        if port is not None:
            address = address.replace(f":{self.server.port}", f":{port}")
        return f"{self.family}://{address}/{database}"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement in the service's database as the administrator."""
        return self.server.execute(statement, database=self.database)

    def names(self) -> set[str]:
        """The names of all projects in the database."""
        return {name for (name,) in self.rows("SELECT name FROM projects")}

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query, also in SQLite."""
        if self._server is not None:
            return self.execute(statement)
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            return connection.execute(statement).fetchall()

    def write(self, statement: str) -> None:
        """Execute a statement, also in SQLite."""
        if self._server is not None:
            self.execute(statement)
            return
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            connection.execute(statement)
            connection.commit()

    def statements(self, like: str) -> int:
        """How many statements that match `like` the server is executing."""
        query = {
            "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND pid <> pg_backend_pid() AND query ILIKE '%{}%'",
            "mysql": "SELECT count(*) FROM information_schema.processlist"
            " WHERE id <> connection_id() AND info LIKE '%{}%'",
        }
        return int(self.execute(query[self.family].format(like))[0][0])

    def open_transactions(self) -> int:
        """How many transactions of other clients are open."""
        query = {
            "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state LIKE '%transaction%'"
            " AND datname = current_database()",
            "mysql": "SELECT count(*) FROM information_schema.innodb_trx",
        }
        return int(self.execute(query[self.family])[0][0])

    def migrate(self, database: str | None = None) -> None:
        url = self.url(database=database)
        self.service.succeed(*self.alembic("upgrade", "head"), **settings(url, {}))

    @staticmethod
    def alembic(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "alembic", *arguments]

    @contextmanager
    def empty_database(self, name: str) -> Iterator[str]:
        """The name of a database without tables, which is dropped afterwards."""
        if self._server is None:
            yield name
            for leftover in self.service.folder.glob(f"{name}.db*"):
                leftover.unlink()
            return
        self.server.recreate_database(name)
        yield name
        self.server.drop_database(name)

    @contextmanager
    def serving(self, url: str | None = None, **environment: object) -> Iterator[Running]:
        """The service as a process, which is killed afterwards: other tests cover shutdown."""
        own = {"jobs_in_process": False} | environment
        with serving(self.service, url or self.url(), **own) as service:
            try:
                yield service
            finally:
                service.process.kill()
                service.process.wait(30)

    def checked_out(self, service: Running) -> int:
        pools = service.call("GET", "/health/pool")
        return sum(pool["checked_out"] for pool in pools.values())


@contextmanager
def table_locked(stack: Stack) -> Iterator[None]:
    """Another client holds an exclusive lock on the table `projects`."""
    holder = stack.server.connect(stack.database)
    try:
        cursor = holder.cursor()
        if stack.family == "postgresql":
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
        else:
            cursor.execute("LOCK TABLES projects WRITE")
        yield
    finally:
        with suppress(Exception):
            holder.close()
