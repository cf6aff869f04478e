"""Read, wait 200 ms for another service, write: at most 500 requests per second of 100 clients."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare_afresh
from benchmarks.schedule import Schedule
from benchmarks.sections.main import REFERENCES
from benchmarks.workloads import MIXED, mixed

CLIENTS = 100


def longer(schedule: Schedule) -> Schedule:
    """Long enough for the clients, which all start by waiting, to get out of step."""
    return replace(schedule, seconds=max(3 * schedule.seconds, 0.6))


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    references = [Contender(name, driver) for name, driver in REFERENCES.items()]
    schedule = longer(bench.schedule)
    contenders = [bench.service("asyncpg"), *references]
    return compare_afresh(
        bench, contenders, database, schedule, MIXED, mixed(database.data), CLIENTS
    )


def page(figures: list[Figures]) -> str:
    return f"""\
{CLIENTS} clients, each of which waits for at least 200 ms, so the limit is 500 requests per second.
The service and the floors hold no connection while they wait; REF and the blocking references do,
as in their documentation. SYNC-BLOCK serves one request at a time, so its percentiles are those of
the few requests that were answered in time.

{against(figures, REFERENCES)}
{details(figures)}"""
