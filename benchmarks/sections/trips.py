"""Round trips to the database for each request, counted on the wire."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from uuid import uuid4

import httpx

from benchmarks.bench import Bench, Database
from benchmarks.contenders import Contender
from benchmarks.load import Request
from benchmarks.markdown import TITLES, table
from benchmarks.wire import Wire
from benchmarks.works import BATCH, CREATE, LIST, READ, SUMMARY, WITH_TASKS, works
from harness.variants import FAMILIES

AUTHENTICATED = "read one, authenticated"
SERVICES = ("asyncpg", "psycopg", "asyncmy", "aiomysql")
REFERENCES = ("ref", "floor_b")


@dataclass(frozen=True)
class Trips:
    """How many of each work, on average."""

    contender: str
    driver: str
    works: dict[str, float]


def count(bench: Bench, contender: Contender, database: Database) -> Trips:
    port = bench.server(FAMILIES[contender.driver]).port
    wire = Wire(port)
    place = database.place.replace(f":{port}", f":{wire.port}")
    found = {}
    with (
        bench.serving([contender], place) as [serving],
        httpx.Client(base_url=serving.address, headers=serving.headers, timeout=60) as client,
    ):
        asked = works(database.data)
        if contender.accounts:
            asked = {AUTHENTICATED: asked[READ]}
        for work, request in asked.items():
            for _ in range(2):  # until each connection has prepared its statements
                ask(client, request, bench.pace.requests)
            before = wire.total
            ask(client, request, bench.pace.requests)
            found[work] = (wire.total - before) / bench.pace.requests
    wire.close()
    return Trips(contender.name, contender.driver, found)


def ask(client: httpx.Client, request: Request, times: int) -> None:
    content = {"Content-Type": "application/json"} if request.body else {}
    for _ in range(times):
        body = request.body.replace("@", uuid4().hex)
        answer = client.request(request.method, request.path, content=body, headers=content)
        answer.raise_for_status()
    time.sleep(0.05)  # for a ROLLBACK after the answer


def measure(bench: Bench) -> list[Trips]:
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
    trips, authenticated = found[: len(contenders)], found[len(contenders) :]
    more = {(each.contender, each.driver): each.works for each in authenticated}
    return [
        replace(each, works=each.works | more.get((each.contender, each.driver), {}))
        for each in trips
    ]


def page(trips: list[Trips]) -> str:
    names = [READ, LIST, WITH_TASKS, CREATE, AUTHENTICATED, BATCH, SUMMARY]
    rows = [
        [
            f"{TITLES[each.contender]}, {each.driver}",
            *(f"{each.works[name]:g}" if name in each.works else "" for name in names),
        ]
        for each in trips
    ]
    return f"""\
One client, after a warm-up: data to the database after data from it is a round trip.

{table(["Contender", *names], rows)}"""
