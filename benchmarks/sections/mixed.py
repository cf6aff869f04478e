"""Read, wait 200 ms for another service, write: 100 clients, so at most 500 requests a second."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare_afresh
from benchmarks.sections.main import REFERENCES
from benchmarks.works import MIXED, mixed

CLIENTS = 100


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    references = [Contender(name, driver) for name, driver in REFERENCES.items()]
    # Long enough that the clients, who all begin with waiting, are no longer in step.
    pace = replace(bench.pace.with_rounds(2), seconds=max(5 * bench.pace.seconds, 0.6))
    contenders = [bench.service("asyncpg"), *references]
    return compare_afresh(bench, contenders, database, pace, MIXED, mixed(database.data), CLIENTS)


def page(figures: list[Figures]) -> str:
    return f"""\
{CLIENTS} clients, each of which waits at least 200 ms: 500 requests a second is the limit. The
service and the floors hold no connection while they wait; REF and the blocking references do, as
their documentation has it. SYNC-BLOCK answers one at a time, so its percentiles are those of the
few that were answered in time.

{against(figures, REFERENCES)}
{details(figures)}"""
