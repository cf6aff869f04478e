"""The primary is lost, becomes read-only, or its name leads to another server."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.load import Load, load
from harness.network import network
from harness.rendering import render
from harness.running import Running, settings
from harness.servers import Server, running
from harness.standbys import Pair, primary_and_standby
from harness.waiting import eventually
from tests.faults.stack import Stack

POOL_TIMEOUT = 3
POOL_SIZE = 5
USER = "writer"  # has no privilege to write to a read-only server


class Replicated:
    """The service on a primary with a standby."""

    def __init__(self, stack: Stack, pair: Pair) -> None:
        self.stack = stack
        self.pair = pair

    def url(self, **parameters: object) -> str:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{self.pair.address}/{self.stack.database}?{query}"

    def connections(self, server: Server) -> int:
        """How many connections the service has to a server."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        return int(server.execute(query, self.stack.database)[0][0])

    def names(self, server: Server) -> set[str]:
        """The names of all projects on a server."""
        rows = server.execute("SELECT name FROM projects", database=self.stack.database)
        return {name for (name,) in rows}


@pytest.fixture
def replicated(driver: str, template: Path, tmp_path: Path) -> Iterator[Replicated]:
    render(template, tmp_path / "service", driver=driver, sync_session=True, jobs="database")
    with primary_and_standby() as pair:
        stack = Stack(driver, tmp_path / "service", pair.first)
        pair.first.create_database(stack.database)
        stack.migrate()
        pair.second.wait_for_replay(pair.first)
        yield Replicated(stack, pair)


@pytest.fixture
def read_only(stack: Stack) -> Iterator[Callable[[bool], None]]:
    """Makes the server that tests share read-only, or writable as it is afterwards."""

    def switch(on: bool) -> None:
        if stack.family == "postgresql":
            value = "on" if on else "off"
            stack.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            stack.execute("SELECT pg_reload_conf()")
            shown = "SHOW default_transaction_read_only"
            eventually(lambda: stack.execute(shown) == [(value,)])
        else:
            stack.execute(f"SET GLOBAL read_only = {on:d}")

    yield switch
    switch(False)


def add_writer(server: Server, stack: Stack) -> None:
    server.execute(f"CREATE USER IF NOT EXISTS {USER}")
    server.execute(f"GRANT ALL ON {stack.database}.* TO {USER}")


def url_of_writer(stack: Stack, port: int) -> str:
    """The URL of a user that cannot write to a read-only server, as an administrator can."""
    if stack.family == "mysql":
        add_writer(stack.server, stack)
        return f"mysql://{USER}@127.0.0.1:{port}/{stack.database}"
    return stack.url(port)


@contextmanager
def migrated_for_writer(kind: type[Server], stack: Stack) -> Iterator[Server]:
    """Another server with the tables of the service, and the same user."""
    with running(kind) as other:
        other.create_database(stack.database)
        add_writer(other, stack)
        variables = settings(f"mysql://{other.address}/{stack.database}", {})
        stack.service.succeed(*stack.alembic("upgrade", "head"), **variables)
        yield other


def connections_of_writer(server: Server) -> set[int]:
    query = "SELECT id FROM information_schema.processlist WHERE user = %s"
    return {connection for (connection,) in server.execute(query, USER)}


def acknowledged(sent: Load) -> set[str]:
    return {response.name for response in sent.responses if response.status == 201}


def read(service: Running) -> None:
    """Send what a service gets that only reads: also while its database is down."""
    for path in ("/api/v1/projects", "/health/ready"):
        service.client.get(path)


def statuses(sent: Load, after: float = 0) -> set[int]:
    return {response.status for response in sent.since(after)}


@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_standby_takes_over_and_no_acknowledged_write_is_lost(replicated: Replicated) -> None:
    first, second = replicated.pair.first, replicated.pair.second
    replicated.pair.replicate_synchronously()
    url = replicated.url()
    with replicated.stack.serving(url, database_pool_timeout=POOL_TIMEOUT) as service:
        with load(service.client.base_url) as sent:
            sent.wait_for(50, 200, 201)
            first.kill()
            lost = time.monotonic()
            sent.wait_for(20, 503, after=lost)
            service.call("GET", "/health/live")
            service.call("GET", "/health/ready", status=503)
            second.promote()
            promoted = time.monotonic()
            sent.wait_for(100, 200, 201, after=promoted)
            first.rejoin(second)
            rejoined = time.monotonic()
            sent.wait_for(100, 200, 201, after=rejoined)
        assert statuses(sent) == {200, 201, 503}, service.log
        assert statuses(sent, promoted) == {200, 201}, service.log
        assert acknowledged(sent) <= replicated.names(second)
        assert replicated.connections(first) == 0
        with load(service.client.base_url) as switched:
            switched.wait_for(50, 200, 201)
            second.stop()
            first.promote()
            promoted = time.monotonic()
            second.rejoin(first)
            rejoined = time.monotonic()
            switched.wait_for(100, 200, 201, after=rejoined)
        assert statuses(switched) == {200, 201, 503}, service.log
        assert statuses(switched, promoted) == {200, 201}, service.log
        assert acknowledged(sent) | acknowledged(switched) <= replicated.names(first)
        assert replicated.connections(second) == 0
        assert replicated.stack.checked_out(service) == 0


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_primary_that_hangs_is_given_up_in_time(replicated: Replicated) -> None:
    first, second = replicated.pair.first, replicated.pair.second
    replicated.pair.replicate_synchronously()
    limits = {"database_pool_timeout": POOL_TIMEOUT, "database_statement_timeout": 1}
    with replicated.stack.serving(replicated.url(connect_timeout=2), **limits) as service:
        with load(service.client.base_url) as sent:
            sent.wait_for(50, 200, 201)
            first.freeze()
            second.promote()
            promoted = time.monotonic()
            sent.wait_for(100, 200, 201, after=promoted)
            recovered = time.monotonic()
            first.kill()
            first.rejoin(second)
            sent.wait_for(100, 200, 201, after=recovered)
        assert statuses(sent) == {200, 201, 503}, service.log
        assert statuses(sent, recovered) == {200, 201}, service.log
        assert acknowledged(sent) <= replicated.names(second)
        assert replicated.connections(first) == 0


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_standby_that_the_name_of_the_primary_led_to_is_left(replicated: Replicated) -> None:
    """As with a virtual address, or with a name server that was late."""
    first, second = replicated.pair.first, replicated.pair.second
    with network(first.port) as name:
        url = replicated.stack.url(name.port)
        with replicated.stack.serving(url, database_pool_timeout=POOL_TIMEOUT) as service:
            with load(service.client.base_url) as sent:
                sent.wait_for(50, 200, 201)
                first.stop()
                second.promote()
                first.rejoin(second)
                sent.wait_for(20, 200)
                service.call("GET", "/health/ready")
                service.call("POST", "/api/v1/projects", {"name": "Rejected"}, status=503)
                name.server_port = second.port
                eventually(lambda: replicated.connections(first) == 0)
                left = time.monotonic()
                sent.wait_for(100, 200, 201, after=left)
            assert statuses(sent) == {200, 201, 503}, service.log
            assert statuses(sent, left) == {200, 201}, service.log
            assert acknowledged(sent) <= replicated.names(second)


@pytest.mark.drivers("aiomysql", further=("asyncmy",))
def test_read_only_server_is_read_and_connected_to_again(
    stack: Stack, read_only: Callable[[bool], None]
) -> None:
    url = url_of_writer(stack, stack.server.port)
    with stack.serving(url, database_pool_size=POOL_SIZE) as service:
        with load(service.client.base_url) as sent:
            sent.wait_for(50, 200, 201)
            before = connections_of_writer(stack.server)
            read_only(True)
            since = time.monotonic()
            eventually(lambda: not before & connections_of_writer(stack.server))
            sent.wait_for(20, 200, after=since)
            sent.wait_for(20, 503, after=since)
            service.call("GET", "/health/ready")
            until = time.monotonic()
            read_only(False)
            writable = time.monotonic()
            sent.wait_for(100, 200, 201, after=writable)
        during = [response for response in sent.since(since) if response.received < until]
        found = {(response.method, response.status, response.retry_after) for response in during}
        assert found == {("GET", 200, None), ("POST", 503, "1")}, service.log
        assert statuses(sent, writable) == {200, 201}, service.log
        assert acknowledged(sent) <= stack.names()


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_server_that_stays_read_only_is_not_connected_to_for_each_write(
    stack: Stack, read_only: Callable[[bool], None]
) -> None:
    with network(stack.server.port) as proxy:
        url = url_of_writer(stack, proxy.port)
        with stack.serving(url, database_pool_size=POOL_SIZE) as service:
            with load(service.client.base_url) as sent:
                sent.wait_for(50, 200, 201)
                read_only(True)
                began, connected = time.monotonic(), len(proxy.clients)
                sent.wait_for(200, 503, after=began)
                seconds, opened = time.monotonic() - began, len(proxy.clients) - connected
            pools = service.call("GET", "/health/pool")
        assert {response.status for response in sent.responses if response.method == "GET"} == {200}
        assert opened <= len(pools) * POOL_SIZE * (seconds + 1)


@pytest.mark.nightly
@pytest.mark.drivers("aiomysql", further=("asyncmy",))
def test_replica_that_the_name_of_the_primary_led_to_is_left(
    stack: Stack, read_only: Callable[[bool], None], kinds: Mapping[str, type[Server]]
) -> None:
    with migrated_for_writer(kinds["mysql"], stack) as other, network(stack.server.port) as name:
        url = url_of_writer(stack, name.port)
        with stack.serving(url, database_pool_size=POOL_SIZE) as service:
            with load(service.client.base_url) as sent:
                sent.wait_for(50, 200, 201)
                read_only(True)
                sent.wait_for(20, 503)
                name.server_port = other.port
                eventually(lambda: not connections_of_writer(stack.server))
                left = time.monotonic()
                sent.wait_for(100, 200, 201, after=left)
            assert statuses(sent) == {200, 201, 503}, service.log
            assert statuses(sent, left) == {200, 201}, service.log
            rows = other.execute("SELECT name FROM projects", database=stack.database)
            assert acknowledged(sent) <= stack.names() | {name for (name,) in rows}


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_process_that_only_reads_leaves_a_standby_that_its_name_led_to(
    replicated: Replicated,
) -> None:
    first, second = replicated.pair.first, replicated.pair.second
    stack = replicated.stack
    with network(first.port) as name, stack.serving(stack.url(name.port)) as service:

        def is_connected_to(server: Server) -> bool:
            read(service)
            return replicated.connections(server) > 0

        assert is_connected_to(first)
        first.stop()
        second.promote()
        first.rejoin(second)
        eventually(lambda: is_connected_to(first), interval=0.2)
        name.server_port = second.port
        eventually(lambda: not is_connected_to(first), seconds=60, interval=0.2)
        assert is_connected_to(second), service.log


@pytest.mark.nightly
@pytest.mark.drivers("aiomysql", further=("asyncmy",))
def test_process_that_only_reads_leaves_a_replica_that_its_name_led_to(
    stack: Stack, read_only: Callable[[bool], None], kinds: Mapping[str, type[Server]]
) -> None:
    with (
        migrated_for_writer(kinds["mysql"], stack) as other,
        network(stack.server.port) as name,
        stack.serving(url_of_writer(stack, name.port)) as service,
    ):

        def is_connected_to(server: Server) -> bool:
            read(service)
            return bool(connections_of_writer(server))

        eventually(lambda: is_connected_to(stack.server))
        read_only(True)
        name.server_port = other.port
        eventually(lambda: not is_connected_to(stack.server), seconds=60, interval=0.2)
        assert is_connected_to(other), service.log
