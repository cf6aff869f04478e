"""Two replicas behind PgBouncer in transaction pooling mode."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest

from harness.load import load
from harness.pgbouncer import LIMITS, pgbouncer
from harness.running import Running, settings
from tests.faults.stack import Stack

QUERIES = 2000
CLIENTS = 8


@contextmanager
def replicas_at(stack: Stack, port: int, **environment: object) -> Iterator[list[Running]]:
    url = stack.url(port)
    with stack.serving(url, **environment) as one, stack.serving(url, **environment) as other:
        yield [one, other]


def request_several_shapes(replicas: list[Running], count: int) -> Counter[str]:
    """How many responses are right, wrong and errors.

    The statements of all shapes have parameters and results of the same types, so a statement that
    another process prepared under the same name would return a wrong result, not an error.
    """

    def request(seed: int) -> Counter[str]:
        chance = random.Random(seed)
        outcome: Counter[str] = Counter()
        address = urlsplit(str(replicas[seed % 2].client.base_url)).netloc
        connection = HTTPConnection(address, timeout=60)
        for _ in range(count // CLIENTS):
            path = chance.choice(["shape", "shape-for-reading"])
            shape, number = chance.randrange(5), chance.randrange(1000)
            try:
                connection.request("GET", f"/{path}/{shape}?number={number}")
                response = connection.getresponse()
                right = json.loads(response.read()) == number + shape
            except (OSError, HTTPException):
                connection.close()
                outcome["error"] += 1
            else:
                wrong = "wrong" if response.status == 200 else "error"
                outcome["right" if right else wrong] += 1
        connection.close()
        return outcome

    with ThreadPoolExecutor(CLIENTS) as threads:
        return sum(threads.map(request, range(CLIENTS)), Counter[str]())


@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_replicas_behind_pgbouncer_get_the_results_of_their_own_statements(stack: Stack) -> None:
    with (
        pgbouncer(stack.server) as (port, _),
        replicas_at(stack, port, database_pgbouncer=True) as replicas,
    ):
        assert request_several_shapes(replicas, QUERIES) == {"right": QUERIES}, replicas[0].log
        for replica in replicas:
            with load(replica.client.base_url) as sent:
                sent.wait_for(100, 200, 201)
            assert {response.status for response in sent.responses} == {200, 201}, replica.log
            replica.call("GET", "/health/ready")
            assert stack.checked_out(replica) == 0


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_replicas_without_the_pgbouncer_setting_fail(stack: Stack) -> None:
    """Or get results of each other's statements."""
    with pgbouncer(stack.server, LIMITS) as (port, _), replicas_at(stack, port) as replicas:
        outcome = request_several_shapes(replicas, QUERIES // 4)
        assert outcome["error"] + outcome["wrong"] > 0


@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_limits_behind_pgbouncer_are_those_of_the_role(stack: Stack) -> None:
    with pgbouncer(stack.server) as (port, _):
        with stack.serving(stack.url(port)) as service:
            service.call("GET", "/health/ready", status=503)
            assert "unsupported startup parameter" in service.log
        stack.execute(
            f"ALTER ROLE postgres IN DATABASE {stack.database} SET statement_timeout = 1234"
        )
        with stack.serving(stack.url(port), database_pgbouncer=True) as service:
            assert service.call("GET", "/limits")["statement_timeout"] == "1234"
        stack.execute(f"ALTER ROLE postgres IN DATABASE {stack.database} RESET statement_timeout")


@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_migrations_refuse_pgbouncer(stack: Stack) -> None:
    variables = settings(stack.url(), {"database_pgbouncer": True})
    result = stack.service.run(*stack.alembic("upgrade", "head"), **variables)
    assert result.returncode != 0
    assert "need a direct connection" in result.stdout
