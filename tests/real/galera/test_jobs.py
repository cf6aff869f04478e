"""Jobs that run on two nodes at the same time."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from harness.galera import Node
from harness.running import alembic, succeed_in
from harness.services import Service
from harness.variants import Variant, named
from harness.waiting import eventually
from tests.real.galera.cluster import SECRET_KEY, drivers, urls

# Runs a periodic job on two nodes: both begin its step before one of them commits.
JOB = """
import asyncio, sys
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.database_errors import classify
from app.core.jobs import run_if_due
from app.database import Database
from app.settings import Settings

async def main():
    databases = [Database(Settings(database_url=url)) for url in sys.argv[1:]]
    both = asyncio.Barrier(2)

    async def run(database, number):
        async def step(session):
            await session.execute(text(f"INSERT INTO numbers VALUES ({number})"))
            await both.wait()
            return False

        try:
            return await run_if_due(database, "test", timedelta(hours=1), step)
        except DBAPIError as error:
            return classify(error).name

    print(sorted(map(str, await asyncio.gather(*(run(d, n) for n, d in enumerate(databases))))))
    for database in databases:
        await database.dispose()

asyncio.run(main())
"""


@drivers
def test_periodic_job_on_two_nodes_commits_once(
    cluster: list[Node], rendered: Callable[[Variant], Path], tmp_path: Path, driver: str
) -> None:
    folder = shutil.copytree(rendered(named(f"{driver}-jwt")), tmp_path / "service")
    service = Service(folder, Path(sys.prefix))
    service.variables["SECRET_KEY"] = SECRET_KEY
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    addresses = urls(cluster[:2], name)
    alembic(service, addresses[0], "upgrade head")
    cluster[0].execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", database=name)
    cluster[0].execute(
        "INSERT INTO jobs (name, due_at) VALUES ('test', '2020-01-01')", database=name
    )
    eventually(lambda: cluster[1].execute("SELECT 1 FROM jobs WHERE name = 'test'", database=name))
    output = succeed_in(service, addresses[0], "python", "-c", JOB, *addresses)
    assert output.strip() == "['CONFLICT', 'True']"
    assert len(cluster[0].execute("SELECT * FROM numbers", database=name)) == 1
