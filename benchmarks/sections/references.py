"""What the references are, and variants of them."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures, ratio
from benchmarks.markdown import number, spread, table, title
from benchmarks.measure import compare
from benchmarks.workloads import CREATE, LIST, READ, workloads
from harness.rendering import ROOT

REF = Contender("ref", "asyncpg")
FLOOR_B = Contender("floor_b", "asyncpg")
POOL, NO_REFRESH = {"pool_size": 15}, {"refresh": 0}
CONTENDERS = (
    REF,
    replace(REF, variant="pool of 15 without overflow", environment=POOL),
    replace(REF, variant="without refresh", environment=NO_REFRESH),
    replace(REF, variant="both", environment=POOL | NO_REFRESH),
    FLOOR_B,
    replace(FLOOR_B, variant="pool of 32", environment={"pool_size": 32}),
)
TEXT = ROOT / "docs" / "performance" / "references.md"


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    asked = workloads(database.data)
    contenders = [bench.service("asyncpg"), *CONTENDERS]
    with bench.serving(contenders, database.location) as servings:
        return [
            figures
            for workload in (READ, LIST, CREATE)
            for figures in compare(servings, bench.schedule, workload, asked[workload])
        ]


def page(figures: list[Figures]) -> str:
    services = {each.workload: each for each in figures if each.contender == "service"}
    rows = [
        [
            *(each.workload, title(each), spread(each.spread("rate"))),
            *(number(each.median("p50")), number(each.median("p99"))),
            spread(ratio(services[each.workload], each)),
        ]
        for each in figures
        if each.contender != "service"
    ]
    heads = ["Workload", "Contender", "Requests/s", "p50 ms", "p99 ms", "The service / this"]
    return f"{TEXT.read_text()}\n{table(heads, rows)}"
