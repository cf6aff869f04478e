"""Instructions of a request, which do not depend on what else the machine does."""

import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from benchmarks.bench import Bench, Database, with_user
from benchmarks.callgrind import counted, thousands
from benchmarks.contenders import Contender
from benchmarks.load import Request
from benchmarks.markdown import TITLES, table
from benchmarks.measure import CLIENTS
from benchmarks.schedule import Schedule
from benchmarks.workloads import (
    AUTHENTICATED,
    BUILT,
    CREATE,
    LIST,
    READ,
    SUMMARY,
    WITH_TASKS,
    built,
    workloads,
)

DRIVERS = ("psycopg", "asyncmy", "aiomysql", "aiosqlite")
REFERENCES = ("floor_b", "ref")
# Workloads that write come last.
WORKLOADS = (READ, BUILT, LIST, WITH_TASKS, SUMMARY, CREATE)
OF_DRIVERS = (READ, LIST, CREATE)


@dataclass(frozen=True)
class Count:
    """Thousands of instructions for one request."""

    workload: str
    contender: str
    driver: str
    thousands: float


def count(
    contender: Contender, database: Database, requests: dict[str, Request], schedule: Schedule
) -> list[Count]:
    with tempfile.TemporaryDirectory(prefix="callgrind-") as name:
        folder = Path(name)
        with counted(contender, database.location, folder) as started:
            served = with_user(started)
            return [
                Count(
                    workload,
                    contender.name,
                    contender.driver,
                    thousands(
                        served,
                        folder,
                        request,
                        clients=min(CLIENTS, schedule.counted),
                        warm_up=schedule.counted_warm_up,
                        requests=schedule.counted,
                    ),
                )
                for workload, request in requests.items()
            ]


def measure(bench: Bench) -> list[Count]:
    work: list[tuple[Contender, Database, dict[str, Request]]] = []

    def add(service: Contender, database: Database, requests: dict[str, Request]) -> None:
        names = ("ref",) if service.accounts else REFERENCES
        references = [Contender(name, service.driver, accounts=service.accounts) for name in names]
        work.extend((contender, database, requests) for contender in (service, *references))

    database = bench.database("asyncpg", accounts=True)
    read = workloads(database.data)[READ]
    add(bench.service("asyncpg", accounts=True), database, {AUTHENTICATED: read})
    for driver in ("asyncpg", *bench.schedule.counted_drivers):
        database = bench.database(driver)
        asked = workloads(database.data) | {BUILT: built(database.data)}
        names = WORKLOADS if driver == "asyncpg" else OF_DRIVERS
        add(bench.service(driver), database, {name: asked[name] for name in names})
    # A writer of SQLite would wait for those of another contender.
    sqlite = Lock()

    def run(each: tuple[Contender, Database, dict[str, Request]]) -> list[Count]:
        with sqlite if each[0].driver == "aiosqlite" else nullcontext():
            return count(*each, bench.schedule)

    # Two at the same time: what else runs does not change what is counted.
    with ThreadPoolExecutor(2) as threads:
        return [count for counts in threads.map(run, work) for count in counts]


def of(
    counts: Iterable[Count], contender: str, *, workload: str, driver: str = "asyncpg"
) -> float | None:
    """The thousands of instructions, or None if they are not counted."""
    for each in counts:
        if (each.contender, each.workload, each.driver) == (contender, workload, driver):
            return each.thousands
    return None


def page(counts: list[Count]) -> str:
    rows = []
    for driver in ("asyncpg", *DRIVERS):
        for workload in (*WORKLOADS, AUTHENTICATED):
            service, *others = (
                of(counts, name, workload=workload, driver=driver)
                for name in ("service", *REFERENCES)
            )
            if service is not None:
                numbers = ["" if each is None else f"{each:,.0f}" for each in (service, *others)]
                times = ["" if each is None else f"{each / service:.2f}" for each in others]
                rows.append([workload, driver, *numbers, *times])
    titles = [TITLES[name] for name in REFERENCES]
    heads = [
        "Workload",
        "Driver",
        "the service",
        *titles,
        *(f"{each} / service" for each in titles),
    ]
    return f"""\
Thousands of instructions of the process for a request, {CLIENTS} clients, by callgrind. They do
not depend on what else the machine does, and repeat to 1 %. They do not contain the kernel, the
database and waking threads, which is a large part of the cost on aiosqlite.

{table(heads, rows)}"""
