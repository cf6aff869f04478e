"""The figures for readers who choose a template: at the top of the page, and in the README."""

import re
from textwrap import fill

from benchmarks.figures import Figures, find, ratio
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.sections import startup
from benchmarks.workloads import CREATE, LIST, READ, WITH_TASKS

# The driver and the workload of each group of bars.
OVERVIEW = (
    ("asyncpg", READ),
    ("asyncpg", LIST),
    ("asyncpg", WITH_TASKS),
    ("asyncpg", CREATE),
    ("psycopg", READ),
    ("asyncmy", READ),
    ("aiomysql", READ),
    ("aiosqlite", READ),
)
README_ITEM = re.compile(r"^- \*\*Fast\.\*\*.*?(?=^\S)", re.DOTALL | re.MULTILINE)


def figures_of(results: Results) -> list[Figures]:
    """The figures at 32 clients, of all drivers."""
    figures = [*(results.main.workloads if results.main else []), *(results.drivers or [])]
    return [each for each in figures if each.clients == CLIENTS and not each.variant]


def times(results: Results, driver: str, workload: str, other: str = "ref") -> str:
    """How many times the requests of another contender the service answers."""
    figures = figures_of(results)
    service, reference = (
        find(figures, name, driver=driver, workload=workload) for name in ("service", other)
    )
    return f"{ratio(service, reference).median:.1f}"


def page(results: Results) -> str:
    """A picture and three sentences."""
    reads, lists, creates = (
        times(results, "asyncpg", workload) for workload in (READ, LIST, CREATE)
    )
    text = f"""\
With asyncpg and {CLIENTS} clients, the service answers {reads} times as many reads of a row per
second as FastAPI and SQLAlchemy used as in their documentation (REF), {lists} times as many lists
of 20 rows, and {creates} times as many inserts. Its reads of a row are
{times(results, "asyncpg", READ, "floor_b")} times those of FastAPI on the bare driver (FLOOR-B),
which is the upper limit. One read in a hundred takes more than {tail(results, "service")} times the
median, with REF more than {tail(results, "ref")} times{resources(results)}."""
    return f"![Requests per second relative to REF](performance/overview.svg)\n\n{wrap(text)}\n"


def tail(results: Results, contender: str) -> str:
    """The p99 of reads, relative to the median."""
    read = find(figures_of(results), contender, workload=READ, driver="asyncpg")
    return f"{read.median('p99') / read.median('p50'):.1f}"


def resources(results: Results) -> str:
    if not results.startup:
        return ""
    seconds, memory = (
        f"{startup.relative(results.startup, name).median:.2f}"
        for name in ("seconds", "memory_under_load")
    )
    return (
        f"; the service starts in {seconds} times the time of REF,"
        f" and takes {memory} times the memory"
    )


def wrap(text: str, indent: str = "") -> str:
    return fill(
        " ".join(text.split()),
        100,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def with_figures(readme: str, results: Results) -> str:
    """The README with the figures of the results in the item "Fast"."""
    text = f"""\
- **Fast.** {times(results, "asyncpg", READ)} times the reads per second of SQLAlchemy as its
documentation shows it, with asyncpg at {CLIENTS} clients;
{times(results, "aiosqlite", READ)} times with SQLite:
[benchmarks and comparisons](docs/performance.md)."""
    item = wrap(text, "  ")
    replaced, count = README_ITEM.subn(lambda _: f"{item}\n", readme)
    assert count == 1, 'README.md has no item "**Fast.**"'
    return replaced
