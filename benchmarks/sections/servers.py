"""Other servers and more processes: granian beside uvicorn, one process and two."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import by_variant
from benchmarks.measure import CLIENTS, compare
from benchmarks.workloads import READ, workloads

SERVERS = ("uvicorn", "granian")
PROCESSES = (1, 2)
MANY = 256


def variant(server: str, processes: int) -> str:
    return f"{server}, {processes} process{'es' if processes > 1 else ''}"


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    read = workloads(database.data)[READ]
    names = [bench.service("asyncpg"), Contender("floor_b", "asyncpg"), Contender("ref", "asyncpg")]
    contenders = [
        replace(each, server=server, workers=workers, variant=variant(server, workers))
        for server in SERVERS
        for workers in PROCESSES
        for each in names
    ]
    with bench.serving(contenders, database.location) as servings:
        return [
            figures
            for clients in (CLIENTS, MANY)
            for figures in compare(servings, bench.schedule, READ, read, clients)
        ]


def page(figures: list[Figures]) -> str:
    return f"""\
Read one. The load generator and the database run on the same cores, so a second process cannot
double the requests. The service has its own graceful shutdown only on uvicorn with one process.

{by_variant(figures)}"""
