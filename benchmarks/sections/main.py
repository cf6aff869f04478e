"""Throughput, latency and CPU time on PostgreSQL, of one process."""

from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare, compare_afresh, named
from benchmarks.workloads import BUILT, LIST, READ, built, workloads

REFERENCES = {
    "floor_a": "asyncpg",
    "floor_b": "asyncpg",
    "ref": "asyncpg",
    "sync_block": "psycopg",
    "sync_thread": "psycopg",
}
CROWD = 256


@dataclass(frozen=True)
class Main:
    workloads: list[Figures]
    scaling: list[Figures]
    users: list[Figures]


def measure(bench: Bench) -> Main:
    database = bench.database("asyncpg")
    asked = workloads(database.data)
    references = [Contender(name, driver) for name, driver in REFERENCES.items()]
    fewer = bench.schedule.with_rounds(2)
    with bench.serving([bench.service("asyncpg"), *references], database.location) as servings:
        asynchronous = named(servings, "service", "ref", "floor_b")
        scaling = [
            figures
            for clients in bench.schedule.clients
            for figures in compare(asynchronous, fewer, READ, asked[READ], clients)
        ]
        crowd = [
            figures
            for workload in (READ, LIST)
            for figures in compare(asynchronous, bench.schedule, workload, asked[workload], CROWD)
        ]
        figures = [
            figures
            for workload, request in asked.items()
            for figures in compare(servings, bench.schedule, workload, request)
        ]
        figures += compare(asynchronous, bench.schedule, BUILT, built(database.data))
    users = []
    for clients in bench.schedule.users:
        contenders = [serving.contender for serving in servings]
        compared = [each for each in contenders if not each.name.startswith("floor")]
        users += compare_afresh(bench, compared, database, fewer, READ, asked[READ], clients)
    return Main([*figures, *crowd], scaling, users)


def page(main: Main) -> str:
    return f"""\
One process each. The ratios are requests per second of the service to those of each reference.

{against(main.workloads, REFERENCES)}
![Requests per second by workload](performance/throughput.svg)

![Latency by workload](performance/latency.svg)

{details(main.workloads)}
### More clients

{against(main.scaling, ("floor_b", "ref"))}
![Requests per second by the number of clients](performance/scaling.svg)

{details(main.scaling)}
### Clients in benchmarks of blocking services

With more than forty clients SYNC-THREAD can stall for half a minute: its forty threads wait for
fifteen connections, and the requests that hold a connection wait for a thread.

{against(main.users, ("ref", "sync_block", "sync_thread"))}
{details(main.users)}"""
