"""The other databases, each compared with the floor on the same driver."""

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare
from benchmarks.workloads import CREATE, LIST, READ, workloads

DRIVERS = ("asyncmy", "aiomysql", "aiosqlite")


def measure(bench: Bench) -> list[Figures]:
    figures = []
    schedule = bench.schedule.with_rounds(2)
    for driver in DRIVERS:
        database = bench.database(driver)
        asked = workloads(database.data)
        references = [Contender("floor_b", driver), Contender("ref", driver)]
        with bench.serving([bench.service(driver), *references], database.location) as servings:
            for workload in (READ, LIST, CREATE):
                figures += compare(servings, schedule, workload, asked[workload])
    return figures


def page(figures: list[Figures]) -> str:
    parts = [against(figures, ("floor_b", "ref"))]
    for driver in DRIVERS:
        parts += [f"### {driver}\n", details(each for each in figures if each.driver == driver)]
    return "\n".join(parts)
