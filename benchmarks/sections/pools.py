"""The workload "read, wait, write" by the size of the service's pools."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.figures import Figures
from benchmarks.markdown import number, spread, table
from benchmarks.measure import CLIENTS, compare
from benchmarks.sections import mixed
from benchmarks.workloads import MIXED, WITH_TASKS, workloads
from benchmarks.workloads import mixed as mixed_request


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    service = bench.service("asyncpg")
    contenders = [
        replace(service, environment={"database_pool_size": size}, variant=f"{size}")
        for size in bench.schedule.pool_sizes
    ]
    with bench.serving(contenders, database.location) as servings:
        longer = mixed.longer(bench.schedule)
        asked = mixed_request(database.data)
        waiting = compare(servings, longer, MIXED, asked, mixed.CLIENTS)
        asked = workloads(database.data)[WITH_TASKS]
        return [*waiting, *compare(servings, bench.schedule, WITH_TASKS, asked)]


def page(figures: list[Figures]) -> str:
    rows = [
        [
            *(each.workload, each.variant, each.clients, spread(each.spread("rate"))),
            *(number(each.median(name)) for name in ("p50", "p99")),
        ]
        for each in figures
    ]
    heads = ["Workload", "DATABASE_POOL_SIZE", "Clients", "Requests/s", "p50 ms", "p99 ms"]
    return f"""\
{mixed.CLIENTS} clients that read, wait and write, and {CLIENTS} that read a project with its tasks.

{table(heads, rows)}"""
