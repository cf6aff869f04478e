"""Requests to two nodes at the same time: conflicts, and reads of what was committed."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2

from harness.galera import Node
from harness.running import serving, succeed_in
from harness.services import Service
from harness.waiting import eventually
from tests.real.galera.cluster import PROJECTS, drivers, url, urls

# Prints the error of a transaction after one on another node has changed its row: at COMMIT, at
# the next statement, and at the next statement within a savepoint. `transact` then succeeds.
CONFLICTS = """
import asyncio, sys

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.database_errors import classify
from app.core.transactions import transact
from app.database import Database
from app.settings import Settings

ADD = text("UPDATE numbers SET number = number + 1")
READ = text("SELECT number FROM numbers")

async def main():
    here, other = (Database(Settings(database_url=url)) for url in sys.argv[1:])
    attempts = []

    async def read():
        async with here.read() as session:
            return await session.scalar(READ)

    async def add(session):
        await session.execute(ADD)
        return await session.scalar(READ)

    async def add_on_the_other_node_once():
        attempts.append(1)
        if len(attempts) == 1:
            number = await transact(other, add)  # until this node has what `here` has committed
            while await read() != number:
                await asyncio.sleep(0.01)

    async def commit(session):
        await session.execute(ADD)
        await add_on_the_other_node_once()

    async def statement(session):
        await commit(session)
        await session.execute(READ)

    async def savepoint(session):
        async with session.begin_nested():
            await statement(session)

    for work in (commit, statement, savepoint):
        attempts.clear()
        try:
            async with here.write.begin() as session:
                await work(session)
        except DBAPIError as error:
            print(work.__name__, classify(error).name)
        attempts.clear()
        await transact(here, work)
        print(len(attempts), await read(), sum(pool.checked_out for pool in here.pools.values()))
    await here.dispose()
    await other.dispose()

asyncio.run(main())
"""


@drivers
def test_conflict_with_another_node_is_run_again_by_transact(
    cluster: list[Node], service: Service, name: str
) -> None:
    cluster[0].execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", database=name)
    cluster[0].execute("INSERT INTO numbers VALUES (0)", database=name)
    addresses = urls(cluster[:2], name)
    output = succeed_in(service, addresses[0], "python", "-c", CONFLICTS, *addresses)
    lines = [line for line in output.splitlines() if not line.startswith("stamina.")]
    assert lines == [
        "commit CONFLICT",
        "2 3 0",
        "statement CONFLICT",
        "2 6 0",
        "savepoint CONFLICT",
        "2 9 0",
    ]


@drivers
def test_no_patch_is_lost_on_two_nodes(
    cluster: list[Node], service: Service, name: str, driver: str, noted: Callable[[str], None]
) -> None:
    with (
        serving(service, url(cluster[0], name)) as one,
        serving(service, url(cluster[1], name)) as other,
    ):
        project = one.call("POST", PROJECTS, {"name": "Alpha"}, status=201)
        path = f"{PROJECTS}/{project['id']}"
        eventually(lambda: other.client.get(path).status_code == 200)

        def change(number: int) -> list[httpx2.Response]:
            client = (one, other)[number % 2].client
            responses = [client.patch(path, json={"description": str(number)})]
            while responses[-1].status_code == 503:
                responses.append(client.patch(path, json={"description": str(number)}))
            return responses

        with ThreadPoolExecutor(8) as threads:
            found = [each for some in threads.map(change, range(80)) for each in some]
        failed = [each for each in found if each.status_code != 200]
        assert len(found) - len(failed) == 80
        assert {(each.status_code, each.headers["Retry-After"]) for each in failed} <= {(503, "1")}
        assert {each.json()["code"] for each in failed} <= {"conflict", "locked"}
        eventually(lambda: one.call("GET", path)["version"] == 81)
        eventually(lambda: other.call("GET", path)["version"] == 81)
        noted(f"{driver}, patches on two nodes: {len(found)} sent, {len(failed)} 503, 0 lost")


@drivers
def test_read_on_another_node_sees_what_was_committed_with_wsrep_sync_wait(
    cluster: list[Node], service: Service, name: str, driver: str, noted: Callable[[str], None]
) -> None:
    writer, reader = cluster[:2]
    writer.execute("CREATE TABLE filler (id INTEGER PRIMARY KEY, text TEXT)", database=name)

    def stale_reads() -> tuple[int, float]:
        """How many of 200 reads are stale, and the milliseconds of one."""
        with (
            serving(service, url(writer, name)) as one,
            serving(service, url(reader, name)) as other,
        ):
            stale, seconds = 0, 0.0
            for number in range(200):
                if number % 50 == 0:  # the other node applies this for longer
                    writer.execute(
                        "REPLACE INTO filler SELECT seq, repeat('x', 200) FROM seq_1_to_20000",
                        database=name,
                    )
                project = one.call("POST", PROJECTS, {"name": uuid4().hex}, status=201)
                began = time.monotonic()
                found = other.client.get(f"{PROJECTS}/{project['id']}").status_code
                seconds += time.monotonic() - began
                assert found in (200, 404)
                stale += found == 404
            return stale, 5 * seconds

    without = stale_reads()
    for node in cluster:
        node.execute("SET GLOBAL wsrep_sync_wait = 7")
    try:
        waiting = stale_reads()
    finally:
        for node in cluster:
            node.execute("SET GLOBAL wsrep_sync_wait = 0")
    noted(
        f"{driver}, reads on another node: {without[0]} of 200 stale in {without[1]:.1f} ms each,"
        f" {waiting[0]} of 200 in {waiting[1]:.1f} ms with wsrep_sync_wait"
    )
    assert waiting[0] == 0


@drivers
def test_read_on_a_node_that_applies_later_is_stale_without_wsrep_sync_wait(
    cluster: list[Node], service: Service, name: str
) -> None:
    writer, reader = cluster[:2]
    with (
        serving(service, url(writer, name)) as one,
        serving(service, url(reader, name)) as other,
        reader.connect() as connection,
    ):
        connection.cursor().execute("FLUSH TABLES WITH READ LOCK")  # applies nothing
        project = one.call("POST", PROJECTS, {"name": "Alpha"}, status=201)
        other.call("GET", f"{PROJECTS}/{project['id']}", status=404)
        connection.cursor().execute("UNLOCK TABLES")
        eventually(lambda: other.client.get(f"{PROJECTS}/{project['id']}").status_code == 200)
