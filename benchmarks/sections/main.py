"""Requests a second, latency and CPU on PostgreSQL, of one process and of one for each core."""

import os
from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare, compare_afresh, named
from benchmarks.works import READ, works

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
    works: list[Figures]
    scaling: list[Figures]
    users: list[Figures]
    cores: int
    workers: list[Figures]


def measure(bench: Bench) -> Main:
    database = bench.database("asyncpg")
    asked = works(database.data)
    references = [Contender(name, driver) for name, driver in REFERENCES.items()]
    fewer = bench.pace.with_rounds(2)
    with bench.serving([bench.service("asyncpg"), *references], database.place) as servings:
        asynchronous = named(servings, "service", "ref", "floor_b")
        scaling = [
            figures
            for clients in bench.pace.clients
            for figures in compare(asynchronous, fewer, READ, asked[READ], clients)
        ]
        crowd = compare(asynchronous, bench.pace, READ, asked[READ], CROWD)
        figures = [
            figures
            for work, request in asked.items()
            for figures in compare(servings, bench.pace, work, request)
        ]
    users = []
    for clients in bench.pace.users:
        contenders = [serving.contender for serving in servings]
        compared = [each for each in contenders if not each.name.startswith("floor")]
        users += compare_afresh(bench, compared, database, fewer, READ, asked[READ], clients)
    cores = os.cpu_count() or 1
    contenders = [replace(serving.contender, workers=cores) for serving in asynchronous]
    with bench.serving(contenders, database.place) as servings:
        workers = compare(servings, bench.pace, READ, asked[READ], CROWD)
    return Main([*figures, *crowd], scaling, users, cores, workers)


def page(main: Main) -> str:
    return f"""\
One process each; how many times the requests a second of each reference the service answers.

{against(main.works, REFERENCES)}
![Requests a second of each work](performance/throughput.svg)

![Latency of each work](performance/latency.svg)

{details(main.works)}
### More clients

{against(main.scaling, ("floor_b", "ref"))}
![Requests a second with the number of clients](performance/scaling.svg)

{details(main.scaling)}
### Users that blocking services are measured with

Above forty clients SYNC-THREAD can stall for half a minute: its forty threads wait for fifteen
connections, and those who hold one wait for a thread.

{against(main.users, ("ref", "sync_block", "sync_thread"))}
{details(main.users)}
### A process for each core

{main.cores} processes of each; the load and the database are on the same cores.

{against(main.workers, ("floor_b", "ref"))}
{details(main.workers)}"""
