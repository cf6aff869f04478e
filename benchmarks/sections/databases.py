"""The other databases, each against the floor of its own driver."""

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare
from benchmarks.works import CREATE, LIST, READ, works

DRIVERS = ("asyncmy", "aiomysql", "aiosqlite")


def measure(bench: Bench) -> list[Figures]:
    figures = []
    pace = bench.pace.with_rounds(2)
    for driver in DRIVERS:
        database = bench.database(driver)
        asked = works(database.data)
        references = [Contender("floor_b", driver), Contender("ref", driver)]
        with bench.serving([bench.service(driver), *references], database.place) as servings:
            for work in (READ, LIST, CREATE):
                figures += compare(servings, pace, work, asked[work])
    return figures


def page(figures: list[Figures]) -> str:
    parts = [against(figures, ("floor_b", "ref"))]
    for driver in DRIVERS:
        parts += [f"### {driver}\n", details(each for each in figures if each.driver == driver)]
    return "\n".join(parts)
