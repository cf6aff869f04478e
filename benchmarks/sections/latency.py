"""The cost of a millisecond of latency between service and database."""

import time
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare
from benchmarks.wire import slower
from benchmarks.workloads import CREATE, LIST, READ, WITH_TASKS, workloads

DELAY = 0.001
REFERENCES = {"floor_b": "asyncpg", "ref": "asyncpg", "sync_thread": "psycopg"}


@dataclass(frozen=True)
class Latency:
    """`added` is the additional time of a round trip in ms."""

    added: float
    workloads: list[Figures]


def milliseconds(location: str) -> float:
    """The time of a round trip to the database at `location`."""
    times = []
    with psycopg.connect(f"postgresql://{location}", autocommit=True) as connection:
        for _ in range(100):
            began = time.perf_counter()
            connection.execute("SELECT 1")
            times.append(time.perf_counter() - began)
    return 1000 * median(times)


def measure(bench: Bench) -> Latency:
    database = bench.database("asyncpg")
    asked = workloads(database.data)
    contenders = [Contender(name, driver) for name, driver in REFERENCES.items()]
    server = bench.server("postgresql")
    with slower(server.port, DELAY) as port:
        location = database.location.replace(f":{server.port}", f":{port}")
        added = milliseconds(location) - milliseconds(database.location)
        with bench.serving([bench.service("asyncpg"), *contenders], location) as servings:
            figures = [
                figures
                for workload in (READ, LIST, WITH_TASKS, CREATE)
                for figures in compare(servings, bench.schedule, workload, asked[workload])
            ]
    return Latency(added, figures)


def page(latency: Latency) -> str:
    return f"""\
A proxy on the same machine delays data to the database, which adds {latency.added:.1f} ms to a
round trip. The proxy also takes CPU time, from all contenders.

{against(latency.workloads, REFERENCES)}
{details(latency.workloads)}"""
