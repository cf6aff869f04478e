"""Round trips to the database per request, counted on the wire."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from uuid import uuid4

import httpx2

from benchmarks.bench import Bench, Database
from benchmarks.contenders import Contender
from benchmarks.load import Request
from benchmarks.markdown import TITLES, table
from benchmarks.wire import Wire
from benchmarks.workloads import (
    AUTHENTICATED,
    BATCH,
    CREATE,
    LIST,
    READ,
    SUMMARY,
    WITH_TASKS,
    workloads,
)
from harness.variants import FAMILIES

SERVICES = ("asyncpg", "psycopg", "asyncmy", "aiomysql")
REFERENCES = ("ref", "floor_b")


@dataclass(frozen=True)
class RoundTrips:
    """The average number of round trips of each workload."""

    contender: str
    driver: str
    workloads: dict[str, float]


def count(bench: Bench, contender: Contender, database: Database) -> RoundTrips:
    port = bench.server(FAMILIES[contender.driver]).port
    wire = Wire(port)
    location = database.location.replace(f":{port}", f":{wire.port}")
    found = {}
    with (
        bench.serving([contender], location) as [serving],
        httpx2.Client(base_url=serving.address, headers=serving.headers, timeout=60) as client,
    ):
        requests = workloads(database.data)
        if contender.accounts:
            requests = {AUTHENTICATED: requests[READ]}
        for workload, request in requests.items():
            for _ in range(2):  # until every connection has prepared its statements
                send(client, request, bench.schedule.requests)
            before = wire.total
            send(client, request, bench.schedule.requests)
            found[workload] = (wire.total - before) / bench.schedule.requests
    wire.close()
    return RoundTrips(contender.name, contender.driver, found)


def send(client: httpx2.Client, request: Request, times: int) -> None:
    content = {"Content-Type": "application/json"} if request.body else {}
    for _ in range(times):
        body = request.body.replace("@", uuid4().hex)
        response = client.request(request.method, request.path, content=body, headers=content)
        response.raise_for_status()
    time.sleep(0.05)  # for a ROLLBACK after the response


def measure(bench: Bench) -> list[RoundTrips]:
    contenders = [bench.service(driver) for driver in SERVICES]
    contenders[1:1] = [Contender(name, "asyncpg") for name in REFERENCES]
    with_accounts = [
        bench.service("asyncpg", accounts=True),
        Contender("ref", "asyncpg", None, True),
    ]
    counted = [*contenders, *with_accounts]
    databases = [bench.database(each.driver, accounts=each.accounts) for each in counted]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(count, repeat(bench), counted, databases))
    without_accounts, authenticated = found[: len(contenders)], found[len(contenders) :]
    additional = {(each.contender, each.driver): each.workloads for each in authenticated}
    return [
        replace(each, workloads=each.workloads | additional.get((each.contender, each.driver), {}))
        for each in without_accounts
    ]


def page(round_trips: list[RoundTrips]) -> str:
    names = [READ, LIST, WITH_TASKS, CREATE, AUTHENTICATED, BATCH, SUMMARY]
    rows = [
        [
            f"{TITLES[each.contender]}, {each.driver}",
            *(f"{each.workloads[name]:g}" if name in each.workloads else "" for name in names),
        ]
        for each in round_trips
    ]
    return f"""\
One client, after a warm-up. Data to the database that follows data from it starts a round trip.

{table(["Contender", *names], rows)}"""
