"""Services on the nodes of a Galera cluster, which fail and come back."""

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from harness.galera import Node, running_cluster
from harness.haproxy import haproxy
from harness.load import Load, load
from harness.projects import write_migration
from harness.running import Running, alembic, run_in, serving, settings, succeed_in
from harness.services import Service
from harness.suites import check_suite, noting
from harness.variants import Variant, named
from harness.waiting import eventually

# The tests of each variant that are known to fail, with the reason.
MIGRATION = "tests/core/test_mysql.py::test_"
ON_A_SERVER = {
    f"{MIGRATION}migration_gives_up_after_waiting_for_another": "get_lock is not used",
    f"{MIGRATION}migration_waits_for_another": "get_lock is not used",
    f"{MIGRATION}statement_that_cannot_get_a_lock_is_retried": "the lock takes a connection",
}
KNOWN = {
    "asyncmy-layered-jwt-all-limits": ON_A_SERVER,
    "aiomysql-by_feature-jwt-all-sync": ON_A_SERVER,
}
PROJECTS = "/api/v1/projects"
# As docs/runbook.md of a service says.
BOOTSTRAP = "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'"
ADD_COLUMN = 'op.add_column("projects", sa.Column("color", sa.String(20)))'
PAUSE = "import os; op.execute('SELECT SLEEP(%s)' % os.environ['PAUSE'])"
SECRET_KEY = "a secret that only the tests have"

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

drivers = pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[Node]]:
    with running_cluster() as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def complete(cluster: list[Node], tested: Callable[[str, str], None]) -> None:
    """Each test begins with three nodes, also if one before it has failed."""
    survivor = next(node for node in cluster if node.is_running)
    if survivor.status("wsrep_cluster_status") == "non-Primary":
        survivor.execute(BOOTSTRAP)
    for node in cluster:
        if not node.is_running:
            node.start()
    eventually(lambda: all(node.status("wsrep_cluster_size") == "3" for node in cluster))
    reasons = {reason for failures in KNOWN.values() for reason in failures.values()}
    tested("Galera", noting(cluster[0].version, reasons))


@pytest.fixture
def service(rendered: Callable[[Variant], Path], tmp_path: Path, driver: str) -> Service:
    folder = shutil.copytree(rendered(Variant(driver)), tmp_path / "service")
    return Service(folder, Path(sys.prefix))


@pytest.fixture
def name(cluster: list[Node], service: Service) -> str:
    """The name of a migrated database."""
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    alembic(service, url(cluster[0], name), "upgrade 0001")
    return name


def url(node: Node, name: str) -> str:
    return f"mysql://{node.address}/{name}"


def names(node: Node, name: str) -> set[str]:
    """The names of all projects on a node."""
    return {found for (found,) in node.execute("SELECT name FROM projects", database=name)}


def checked_out(service: Running) -> int:
    pools = service.call("GET", "/health/pool")
    return sum(pool["checked_out"] for pool in pools.values())


def is_ready(service: Running) -> bool:
    return service.client.get("/health/ready").status_code == 200


def assert_only_503s(sent: Load, service: Running) -> None:
    """Each request succeeded, or may be sent again."""
    found = {(response.status, response.retry_after) for response in sent.responses}
    assert found <= {(200, None), (201, None), (503, "1")}, service.log


def figures(sent: Load) -> str:
    """How many requests failed, and for how long none of their kind succeeded."""
    statuses = Counter(response.status for response in sent.responses)
    failed = {status: count for status, count in statuses.items() if status not in (200, 201)}
    written = sorted(each.received for each in sent.responses if each.status == 201)
    gap = max(later - earlier for earlier, later in pairwise(written))
    return f"{len(sent.responses)} sent, failed {failed}, {gap:.1f} s without a write"


# --- Conflicts and reads ---


@drivers
def test_conflict_with_another_node_is_run_again_by_transact(
    cluster: list[Node], service: Service, name: str
) -> None:
    cluster[0].execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", database=name)
    cluster[0].execute("INSERT INTO numbers VALUES (0)", database=name)
    addresses = [url(node, name) for node in cluster[:2]]
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
    assert without[0] > 0
    assert waiting[0] == 0


@drivers
def test_tables_suit_galera(cluster: list[Node], service: Service, name: str) -> None:
    del service
    without_key = cluster[0].execute(
        "SELECT table_name FROM information_schema.tables AS t"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' AND NOT EXISTS (SELECT 1"
        " FROM information_schema.table_constraints AS c WHERE c.table_schema = t.table_schema"
        " AND c.table_name = t.table_name AND constraint_type = 'PRIMARY KEY')",
        name,
    )
    assert without_key == []


# --- Nodes that fail ---


@drivers
def test_acknowledged_writes_survive_the_loss_of_a_node(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    document = (service.folder / "docs" / "database.md").read_text()
    configuration = re.findall(r"```haproxy\n(.*?)```", document, re.DOTALL)
    with (
        haproxy(configuration[0], cluster, tmp_path) as port,
        serving(service, f"mysql://root@127.0.0.1:{port}/{name}") as behind_proxy,
        serving(service, url(cluster[1], name)) as direct,
    ):
        eventually(lambda: is_ready(behind_proxy))
        with (
            load(behind_proxy.client.base_url, 4) as by_proxy,
            load(direct.client.base_url, 4) as by_other,
        ):
            by_proxy.wait_for(50, 200, 201)
            by_other.wait_for(50, 200, 201)
            cluster[0].kill()
            killed = time.monotonic()
            by_proxy.wait_for(100, 201, after=killed + 1)
            by_other.wait_for(100, 201, after=killed + 1)
            cluster[0].start()
            started = time.monotonic()
            by_proxy.wait_for(200, 201, after=started)
        for sent, running in ((by_proxy, behind_proxy), (by_other, direct)):
            assert_only_503s(sent, running)
            assert checked_out(running) == 0
        written = {
            response.name
            for response in (*by_proxy.responses, *by_other.responses)
            if response.status == 201
        }
        eventually(lambda: all(written <= names(node, name) for node in cluster))
        noted(f"{driver}, node killed and back, by HAProxy: {figures(by_proxy)}; 0 lost")
        noted(f"{driver}, node killed and back, on another node: {figures(by_other)}; 0 lost")


@drivers
def test_node_without_quorum_is_not_ready(
    cluster: list[Node], service: Service, name: str, driver: str, noted: Callable[[str], None]
) -> None:
    *lost, left = cluster
    with serving(service, url(left, name)) as running:
        with load(running.client.base_url, 4) as sent:
            sent.wait_for(50, 200, 201)
            for node in lost:
                node.kill()
            eventually(lambda: left.status("wsrep_cluster_status") == "non-Primary")
            sent.wait_for(50, 503, after=time.monotonic())
            assert running.call("GET", "/health/ready", status=503)["code"] == "unavailable"
            running.call("GET", "/health/live")
            with serving(service, url(left, name)) as started_later:
                assert (
                    started_later.call("GET", "/health/ready", status=503)["code"] == "unavailable"
                )
                started_later.call("GET", "/health/live")
            check = run_in(service, url(left, name), "python", "-m", "app.core.check_database")
            assert check.returncode != 0
            assert "This Galera node has no quorum" in check.stdout
            left.execute(BOOTSTRAP)
            eventually(lambda: is_ready(running))
            back = time.monotonic()
            sent.wait_for(50, 201, after=back)
            for node in lost:
                node.start()
        assert_only_503s(sent, running)
        assert checked_out(running) == 0
        written = {response.name for response in sent.responses if response.status == 201}
        eventually(lambda: all(written <= names(node, name) for node in cluster))
        noted(f"{driver}, quorum lost and restored: {figures(sent)}; 0 lost")


# --- Migrations and jobs ---


class Upgrade:
    """`alembic upgrade head` on a node, as a process."""

    def __init__(self, service: Service, address: str, log: Path, pause: float) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "alembic", "upgrade", "head"],
                cwd=service.folder,
                env=service.variables | settings(address, {"pause": str(pause)}),
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def migrates(self) -> bool:
        return "Running upgrade 0001 -> 0002" in self.log

    @property
    def waits(self) -> bool:
        return "trying again: INSERT INTO alembic_version" in self.log

    def succeed(self) -> None:
        assert self.process.wait(120) == 0, self.log


@pytest.fixture
def further(service: Service) -> None:
    """A migration that takes as long as the variable PAUSE says."""
    write_migration(service.folder, "0002_further.py", f"{ADD_COLUMN}; {PAUSE}")


@drivers
@pytest.mark.usefixtures("further")
def test_migrations_on_two_nodes_take_turns(
    cluster: list[Node], service: Service, name: str, tmp_path: Path
) -> None:
    first = Upgrade(service, url(cluster[0], name), tmp_path / "first", pause=4)
    second = Upgrade(service, url(cluster[1], name), tmp_path / "second", pause=0)
    first.succeed()
    second.succeed()
    assert sorted([first.migrates, second.migrates]) == [False, True]


@pytest.mark.parametrize("driver", ["asyncmy"])
@pytest.mark.parametrize("lost", ["process", "node"])
def test_lock_of_a_migration_ends_with_its_process_or_node(
    cluster: list[Node], service: Service, name: str, tmp_path: Path, lost: str
) -> None:
    write_migration(service.folder, "0002_further.py", PAUSE)
    first = Upgrade(service, url(cluster[0], name), tmp_path / "first", pause=600)
    eventually(lambda: first.migrates, lambda: first.log)
    second = Upgrade(service, url(cluster[1], name), tmp_path / "second", pause=0)
    eventually(lambda: second.waits, lambda: second.log)
    if lost == "node":
        cluster[0].kill()
    first.process.kill()
    first.process.wait()
    second.succeed()
    assert second.migrates
    if lost == "node":
        cluster[0].start()


@drivers
@pytest.mark.usefixtures("further")
def test_migration_ends_transactions_that_may_be_retried(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    with serving(service, url(cluster[1], name)) as running, load(running.client.base_url) as sent:
        sent.wait_for(50, 201)
        upgrade = Upgrade(service, url(cluster[0], name), tmp_path / "log", pause=1)
        upgrade.succeed()
        sent.wait_for(50, 201, after=time.monotonic())
    assert_only_503s(sent, running)
    noted(f"{driver}, migration on another node: {figures(sent)}")


@drivers
def test_periodic_job_on_two_nodes_commits_once(
    cluster: list[Node], rendered: Callable[[Variant], Path], tmp_path: Path, driver: str
) -> None:
    folder = shutil.copytree(rendered(named(f"{driver}-jwt")), tmp_path / "service")
    service = Service(folder, Path(sys.prefix))
    service.variables["SECRET_KEY"] = SECRET_KEY
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    addresses = [url(node, name) for node in cluster[:2]]
    alembic(service, addresses[0], "upgrade head")
    cluster[0].execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)", database=name)
    cluster[0].execute(
        "INSERT INTO jobs (name, due_at) VALUES ('test', '2020-01-01')", database=name
    )
    eventually(lambda: cluster[1].execute("SELECT 1 FROM jobs WHERE name = 'test'", database=name))
    output = succeed_in(service, addresses[0], "python", "-c", JOB, *addresses)
    assert output.strip() == "['CONFLICT', 'True']"
    assert len(cluster[0].execute("SELECT * FROM numbers", database=name)) == 1


@pytest.mark.parametrize("suite", KNOWN)
def test_suite_passes(
    cluster: list[Node], installed: Callable[[Variant], Service], suite: str
) -> None:
    address = f"mysql://{cluster[0].address}/service_test"
    check_suite(installed(named(suite)), KNOWN[suite], TEST_DATABASE_URL=address)
