"""A replica that serves reads lags, is lost, hangs, or cancels a query."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from harness.load import started
from harness.postgresql import PostgreSQL
from harness.rendering import render
from harness.replicas import primary_and_replica
from harness.running import Running, serving, settings
from harness.servers import Server, running
from harness.services import Service
from harness.standbys import primary_and_standby
from harness.variants import FAMILIES
from harness.waiting import eventually

MAX_LAG = 2
DELAY = 8
# Between two requests of a client, whose number matters less than the time of the tests.
PAUSE = 0.02
PASSWORD = "a long enough password"
ON_EVERY_SERVER = pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))

# A query that takes long, and one of a table that the service does not have.
ENDPOINTS = """
from sqlalchemy import text  # noqa: E402

from app.database import ReadSession  # noqa: E402


@app.get("/slow")
async def slow(session: ReadSession) -> None:
    await session.execute(text("SELECT pg_sleep(2)"))


@app.get("/added")
async def added(session: ReadSession) -> int:
    return await session.scalar(text("SELECT count(*) FROM added"))
"""


class Replicated:
    """A service on a primary and a replica of it."""

    def __init__(self, service: Service, family: str, primary: Any, replica: Any) -> None:
        self.service = service
        self.family = family
        self.primary = primary
        self.replica = replica

    def url(self, server: Server) -> str:
        return f"{self.family}://{server.address}/service"

    def add(self, server: Server | None = None, rows: int = 0) -> None:
        """Create a table, on both servers if none is given."""
        (server or self.primary).execute("CREATE TABLE added (id int)", database="service")
        for _ in range(rows):
            (server or self.primary).execute("INSERT INTO added VALUES (1)", database="service")
        if server is None:
            self.replica.wait_for_replay(self.primary)

    def promote(self) -> None:
        """Let the replica accept writes, and no longer apply those of the primary."""
        if self.family == "postgresql":
            self.replica.promote()
        else:
            for statement in ("STOP REPLICA", "SET GLOBAL read_only = 0"):
                self.replica.execute(statement)

    def delay(self, seconds: int) -> None:
        """Delay each change on the replica by this time."""
        if self.family == "postgresql":
            self.replica.configure(recovery_min_apply_delay=f"{seconds}s" if seconds else "")
        else:
            self.replica.delay(seconds)

    @contextmanager
    def serving(self, **environment: object) -> Iterator[Running]:
        own = {
            "database_read_url": self.url(self.replica),
            "database_read_max_lag": MAX_LAG,
            "registrations_per_address": 10_000,
        }
        url = self.url(self.primary)
        with serving(self.service, url, **own | environment) as running:
            try:
                yield running
            finally:
                running.process.kill()
                running.process.wait(30)


@pytest.fixture
def replicated(
    driver: str, template: Path, tmp_path: Path, kinds: Mapping[str, type[Server]]
) -> Iterator[Replicated]:
    folder, family = tmp_path / "service", FAMILIES[driver]
    render(template, folder, driver=driver, auth="jwt", api_keys=True)
    main = folder / "app" / "main.py"
    main.write_text(main.read_text() + ENDPOINTS)
    with servers(kinds[family]) as (primary, replica):
        replicated = Replicated(Service(folder, Path(sys.prefix)), family, primary, replica)
        primary.create_database("service")
        variables = settings(replicated.url(primary), {})
        replicated.service.succeed(sys.executable, "-m", "alembic", "upgrade", "head", **variables)
        replica.wait_for_replay(primary)
        yield replicated


@contextmanager
def servers(kind: type[Server]) -> Iterator[tuple[Any, Any]]:
    if kind is PostgreSQL:
        with primary_and_standby() as pair:
            yield pair.first, pair.second
    else:
        with primary_and_replica(kind) as both:
            yield both


class Clients:
    """Users who write, read what they have written, and end their logins, all at the same time."""

    def __init__(self, address: str, users: int) -> None:
        self.address = address
        self.sent: Counter[str] = Counter()
        self.failed: list[str] = []  # with another status than 2xx, 401 and 404
        self.lost: list[str] = []  # reads of the primary without what was written before
        self.accepted: list[str] = []  # requests of ended logins and revoked keys
        self.stale = 0  # reads of the replica without what was written before
        self.slowest = (0.0, "")
        self.rounds = 0
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        works = [self.write_and_read] * users + [self.end_logins]
        self.threads = [threading.Thread(target=self._repeat, args=[work]) for work in works]

    def _repeat(self, work: Callable[[httpx2.Client], None]) -> None:
        try:
            with httpx2.Client(base_url=f"{self.address}/api/v1", timeout=60) as client:
                self.log_in(client, self.register(client))
                while not self.stopping.is_set():
                    work(client)
                    self.rounds += 1
        except BaseException as error:  # the main thread raises it
            self.errors.append(error)

    def send(self, client: httpx2.Client, method: str, path: str, **options: Any) -> Any:
        time.sleep(PAUSE)
        began = time.monotonic()
        response = client.request(method, path, **options)
        self.slowest = max(self.slowest, (time.monotonic() - began, f"{method} {path}"))
        self.sent[f"{method} {path.split('/')[1]}"] += 1
        if not response.is_success and response.status_code not in (401, 404):
            self.failed.append(f"{method} {path}: {response.status_code} {response.text}")
        return response

    def register(self, client: httpx2.Client) -> str:
        email = f"{uuid4().hex}@example.org"
        body = {"email": email, "name": "Ada", "password": PASSWORD}
        self.send(client, "POST", "/auth/register", json=body)
        return email

    def log_in(self, client: httpx2.Client, email: str) -> None:
        form = {"username": email, "password": PASSWORD}
        token = self.send(client, "POST", "/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"

    def write_and_read(self, client: httpx2.Client) -> None:
        name = uuid4().hex
        project = self.send(client, "POST", "/projects", json={"name": name}).json()
        path = f"/projects/{project['id']}"
        found = self.send(client, "GET", path)
        if found.status_code != 200:
            self.lost.append(f"created: {found.text}")
            return
        pages = self.send(client, "GET", "/projects?limit=100").json()
        self.stale += name not in {each["name"] for each in pages["items"]}
        self.stale += self.send(client, "GET", f"{path}/summary").status_code == 404
        match = {"If-Match": f'"{found.json()["version"]}"'}
        self.send(client, "PATCH", path, json={"description": name}, headers=match)
        if self.send(client, "GET", path).json().get("description") != name:
            self.lost.append("changed")
        self.send(client, "DELETE", path)
        if self.send(client, "GET", path).status_code != 404:
            self.lost.append("deleted")

    def end_logins(self, client: httpx2.Client) -> None:
        email = self.register(client)
        self.log_in(client, email)
        key = {"name": "key", "scopes": ["projects:read"]}
        created = self.send(client, "POST", "/api-keys", json=key).json()
        as_key = {"Authorization": f"Bearer {created['key']}"}
        assert self.send(client, "GET", "/projects", headers=as_key).status_code == 200
        self.send(client, "DELETE", f"/api-keys/{created['id']}")
        self.expect_rejection(client, headers=as_key)
        assert self.send(client, "GET", "/projects").status_code == 200
        self.send(client, "POST", "/auth/logout-everywhere")
        self.expect_rejection(client)
        self.log_in(client, email)
        self.send(client, "DELETE", "/users/me")
        self.expect_rejection(client)

    def expect_rejection(self, client: httpx2.Client, **options: Any) -> None:
        for path in ("/projects", "/projects?limit=1", f"/projects/{uuid4()}"):
            response = self.send(client, "GET", path, **options)
            if response.status_code != 401:
                self.accepted.append(f"{path}: {response.status_code}")

    def wait_for(self, rounds: int) -> None:
        """Wait for more rounds, which begin now."""
        wanted = self.rounds + len(self.threads) + rounds
        eventually(lambda: self.errors or self.rounds >= wanted, seconds=60, interval=0.1)

    @property
    def figures(self) -> str:
        return (
            f"{self.sent.total()} requests, {len(self.failed)} failed, {len(self.lost)} lost,"
            f" {len(self.accepted)} accepted after a revocation, {self.stale} reads of the replica"
            f" stale, slowest {self.slowest[0]:.1f} s"
        )

    def check(self, log: str) -> None:
        assert not self.failed, f"{self.figures}: {self.failed[:5]}\n{log}"
        assert not self.lost, f"{self.figures}: {self.lost[:5]}"
        assert not self.accepted, f"{self.figures}: {self.accepted[:5]}"
        assert not self.errors, f"{self.figures}: {self.errors}"


@contextmanager
def clients(service: Running, users: int = 2) -> Iterator[Clients]:
    """Clients that send requests while the block runs."""
    sending = Clients(str(service.client.base_url).rstrip("/"), users)
    try:
        with started(sending.threads, sending.stopping, 120):
            yield sending
    finally:
        print(sending.figures)


def status(service: Running) -> dict[str, Any]:
    """The state of the replica, in `/health/pool`."""
    found: dict[str, Any] = service.call("GET", "/health/pool")["replica"]
    return found


def wait_until_used(service: Running, is_used: bool = True) -> None:
    eventually(
        lambda: status(service)["in_use"] is is_used, lambda: service.log, seconds=60, interval=0.2
    )


def reads(service: Running) -> int:
    """How many reads the replica has served, not counting measurements of its lag."""
    return int(status(service)["direct_reads"])


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_replica_that_lags_or_is_lost_fails_no_request_and_no_promise(
    replicated: Replicated,
) -> None:
    with replicated.serving() as service:
        wait_until_used(service)
        with clients(service) as sent:
            sent.wait_for(5)
            assert reads(service) > 5
            replicated.delay(DELAY)
            before = sent.stale
            eventually(lambda: sent.errors or sent.stale > before)
            wait_until_used(service, False)
            assert status(service)["lag_seconds"] > MAX_LAG
            sent.wait_for(1)
            replicated.delay(0)
            wait_until_used(service)
            replicated.replica.kill()
            sent.wait_for(5)
            wait_until_used(service, False)
            before = reads(service)
            sent.wait_for(1)
            assert reads(service) == before
            replicated.replica.start()
            wait_until_used(service)
            before = reads(service)
            eventually(lambda: reads(service) > before, interval=0.2)
        sent.check(service.log)
        assert service.log.count("Reads go to the replica") == 3, service.log
        assert service.log.count("Reads go to the primary") == 2, service.log


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_query_that_the_replay_of_changes_cancels_is_repeated_on_the_primary(
    replicated: Replicated,
) -> None:
    replicated.replica.configure(max_standby_streaming_delay="0", hot_standby_feedback="off")
    cancelled = "SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = 'service'"
    with replicated.serving() as service:
        wait_until_used(service)
        replicated.primary.execute("CREATE TABLE added (id int)", database="service")
        replicated.primary.execute("INSERT INTO added VALUES (1)", database="service")
        replicated.replica.wait_for_replay(replicated.primary)
        with httpx2.Client(base_url=service.client.base_url, timeout=60) as client:
            found: list[int] = []
            query = threading.Thread(target=lambda: found.append(client.get("/slow").status_code))
            query.start()
            running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep%'"
            other = " AND pid <> pg_backend_pid()"
            eventually(lambda: replicated.replica.execute(running + other) != [(0,)])
            for statement in ("DELETE FROM added", "VACUUM added"):
                replicated.primary.execute(statement, database="service")
            query.join(60)
        assert found == [200], service.log
        eventually(lambda: replicated.replica.execute(cancelled) == [(1,)])
        assert status(service)["in_use"]


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_replica_that_hangs_fails_no_request(replicated: Replicated) -> None:
    with replicated.serving(database_pool_timeout=2, database_statement_timeout=4) as service:
        wait_until_used(service)
        with clients(service) as sent:
            sent.wait_for(5)
            replicated.replica.freeze()
            wait_until_used(service, False)
            sent.wait_for(20)
            replicated.replica.thaw()
            wait_until_used(service)
            sent.wait_for(5)
        sent.check(service.log)
        # Before the driver gives up its query, which it does not without a limit.
        assert "The replica cannot be used: it does not respond" in service.log
        assert sent.slowest < (1.5 * 4 + 10,), sent.slowest


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_read_of_a_table_that_the_replica_does_not_have_yet_goes_to_the_primary(
    replicated: Replicated,
) -> None:
    with replicated.serving(database_read_max_lag=0) as service:
        wait_until_used(service)
        replicated.delay(60)
        replicated.primary.execute("CREATE TABLE added (id int)", database="service")
        assert service.call("GET", "/added") == 0
        assert status(service)["in_use"]


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_replica_serves_reads_while_the_primary_is_down(replicated: Replicated) -> None:
    replicated.add()
    with replicated.serving() as service:
        wait_until_used(service)
        replicated.primary.kill()
        for _ in range(5 * MAX_LAG):
            assert service.call("GET", "/added") == 0
            time.sleep(0.5)
        service.call("GET", "/health/ready", status=503)
        assert status(service)["in_use"]
        replicated.replica.kill()
        wait_until_used(service, False)


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_service_starts_without_its_replica(replicated: Replicated) -> None:
    replicated.replica.stop()
    with replicated.serving() as service:
        service.call("GET", "/health/ready")
        with clients(service) as sent:
            sent.wait_for(5)
        sent.check(service.log)
        assert sent.stale == 0
        replicated.replica.start()
        wait_until_used(service)


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_replica_that_lags_when_the_process_starts_is_not_read(replicated: Replicated) -> None:
    replicated.add()
    replicated.delay(600)
    replicated.primary.execute("INSERT INTO added VALUES (1)", database="service")
    with replicated.serving(database_read_max_lag=60) as service:
        counts = [counted(service) for _ in range(30)]
        assert set(counts) == {1}, counts
        assert "it has not caught up with the primary yet" in service.log
        replicated.delay(0)
        wait_until_used(service)


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_replica_that_was_promoted_beside_its_primary_is_not_read(replicated: Replicated) -> None:
    replicated.add()
    with replicated.serving() as service:
        wait_until_used(service)
        replicated.promote()
        # So that its log is longer than that of the primary.
        for _ in range(100):
            replicated.replica.execute("DELETE FROM added WHERE id = 1", database="service")
            replicated.replica.execute("INSERT INTO added VALUES (1)", database="service")
        wait_until_used(service, False)
        counts = [counted(service) for _ in range(30)]
        assert set(counts) == {0}, counts
        assert "promoted" in service.log


@pytest.mark.nightly
@ON_EVERY_SERVER
def test_server_with_other_data_is_not_read(replicated: Replicated) -> None:
    replicated.add()
    with running(type(replicated.primary)) as other:
        other.create_database("service")
        replicated.add(other, rows=100)
        with replicated.serving(database_read_url=replicated.url(other)) as service:
            counts = [counted(service) for _ in range(30)]
            assert set(counts) == {0}, counts
            assert not status(service)["in_use"]


def counted(service: Running) -> int:
    """The number of rows of the table `added`, as the service reads it, after a pause."""
    time.sleep(0.1)
    rows: int = service.call("GET", "/added")
    return rows
