"""The other drivers, each compared with the references on the same driver."""

from benchmarks.bench import RELEASE, Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare
from benchmarks.workloads import CREATE, LIST, READ, workloads

DRIVERS = ("psycopg", "asyncmy", "aiomysql", "aiosqlite")


def measure(bench: Bench) -> list[Figures]:
    figures = []
    for driver in DRIVERS:
        database = bench.database(driver)
        asked = workloads(database.data)
        contenders = [
            bench.service(driver),
            Contender("floor_b", driver),
            Contender("ref", driver),
        ]
        if driver == "aiosqlite":
            contenders.append(bench.released(driver))
        with bench.serving(contenders, database.location) as servings:
            for workload in (READ, LIST, CREATE):
                figures += compare(servings, bench.schedule, workload, asked[workload])
    return figures


def page(figures: list[Figures]) -> str:
    current = [each for each in figures if not each.variant]
    parts = [against(current, ("floor_b", "ref"))]
    for driver in DRIVERS:
        of_driver = [each for each in figures if each.driver == driver]
        if of_driver:
            parts += [f"### {driver}\n", details(of_driver)]
    parts.append(
        f"The service {RELEASE} is that of this release, the base of the goals of SQLite.\n"
    )
    return "\n".join(parts)
