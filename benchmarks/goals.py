"""The goals of the service in one process, and whether it meets them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bench import RELEASE
from benchmarks.figures import Figures, find, ratio
from benchmarks.markdown import TITLES, bounds, number, spread, table
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.sections import instructions, startup, telemetry
from benchmarks.sections.accounts import Accounts, slowdown
from benchmarks.sections.bursts import Burst
from benchmarks.sections.instructions import Count
from benchmarks.sections.main import CROWD, Main
from benchmarks.sections.round_trips import RoundTrips
from benchmarks.sections.startup import Startup
from benchmarks.workloads import (
    AUTHENTICATED,
    BATCH,
    BUILT,
    CREATE,
    LIST,
    READ,
    SUMMARY,
    WITH_TASKS,
)

# How many times the requests of a reference the service answers at least, on asyncpg.
TIMES: dict[str, dict[str, float]] = {
    READ: {"floor_b": 0.8, "ref": 3.5},
    LIST: {"floor_b": 0.5, "ref": 2.5},
    WITH_TASKS: {"floor_b": 0.4, "ref": 2},
    SUMMARY: {"floor_b": 0.4, "ref": 2},
    CREATE: {"ref": 2},
    BATCH: {"ref": 1.3},
    BUILT: {"floor_b": 0.55},
}
# The same for REF on the same driver.
DRIVERS: dict[str, dict[str, float]] = {
    "psycopg": {READ: 3, LIST: 2.3},
    "asyncmy": {READ: 3, LIST: 1.8},
    "aiomysql": {READ: 2.7, LIST: 1.6},
    "aiosqlite": {READ: 5, LIST: 3.5, CREATE: 1.7},
}
ROUND_TRIPS = {READ: 1, LIST: 1, WITH_TASKS: 2, CREATE: 3, AUTHENTICATED: 2}
EXACT = (READ, LIST, WITH_TASKS)


@dataclass(frozen=True)
class Goal:
    """`counted` is the same ratio by instructions, if it has one."""

    name: str
    wanted: str
    measured: str
    met: bool
    counted: str = ""


class Ratios:
    """Goals that compare the requests per second of the service with those of others."""

    def __init__(self, figures: list[Figures], counts: list[Count]) -> None:
        self.figures = [each for each in figures if not each.variant]
        self.counts = counts

    def at_least(
        self, workload: str, other: str, least: float, *, driver: str = "asyncpg", title: str = ""
    ) -> Iterator[Goal]:
        """The goal, if both are measured."""
        wanted = {"workload": workload, "driver": driver, "clients": CLIENTS}
        try:
            service, reference = (find(self.figures, name, **wanted) for name in ("service", other))
        except LookupError:
            return
        times = ratio(service, reference)
        # A median just below the goal is not rounded up to it.
        rounded_up = times.median < least <= round(times.median, 2)
        yield Goal(
            title or (workload if driver == "asyncpg" else f"{workload}, {driver}"),
            f"≥ {least:g} times {TITLES[other]}",
            f"{times.median:.4f} ({bounds(times)})" if rounded_up else spread(times),
            times.median >= least,
            self.counted(title or workload, other, driver),
        )

    def counted(self, workload: str, other: str, driver: str) -> str:
        one, reference = (
            instructions.of(self.counts, name, workload=workload, driver=driver)
            for name in ("service", other)
        )
        return f"{reference / one:.2f}" if one and reference else ""


def of_main(main: Main, counts: list[Count]) -> Iterator[Goal]:
    figures = main.workloads
    ratios = Ratios(figures, counts)
    for workload, references in TIMES.items():
        for other, least in references.items():
            yield from ratios.at_least(workload, other, least)
    for workload in (READ, LIST):
        for clients in (CLIENTS, CROWD):
            yield from of_percentiles(figures, workload, clients)


def of_percentiles(figures: list[Figures], workload: str, clients: int) -> Iterator[Goal]:
    try:
        service, ref = (
            find(figures, name, workload=workload, clients=clients) for name in ("service", "ref")
        )
    except LookupError:
        return
    name = f"p99 of {workload}, {clients} clients"
    times = service.median("p99") / service.median("p50")
    yield Goal(name, "≤ 3 times p50", number(times), times <= 3)
    times = service.median("p99") / ref.median("p99")
    yield Goal(name, "≤ that of REF", f"{number(times)} times REF", times <= 1)


def of_drivers(figures: list[Figures], counts: list[Count]) -> Iterator[Goal]:
    ratios = Ratios(figures, counts)
    for driver, workloads in DRIVERS.items():
        for workload, least in workloads.items():
            yield from ratios.at_least(workload, "ref", least, driver=driver)
    wanted = {"workload": CREATE, "driver": "aiosqlite"}
    try:
        now = find(figures, "service", variant="", **wanted)
        before = find(figures, "service", variant=RELEASE, **wanted)
    except LookupError:
        return
    times = now.median("p99") / before.median("p99")
    milliseconds = " and ".join(number(each.median("p99")) for each in (now, before))
    yield Goal(
        f"p99 of {CREATE}, aiosqlite",
        f"≤ a third of release {RELEASE}",
        f"{number(times)} ({milliseconds} ms)",
        times <= 1 / 3,
    )


def of_accounts(accounts: Accounts, counts: list[Count]) -> Iterator[Goal]:
    yield from Ratios(accounts.reads, counts).at_least(READ, "ref", 3.5, title=AUTHENTICATED)
    slower = slowdown(accounts, "service")
    yield Goal(
        "p50 of reads while 4 clients log in", "≤ 2 times quiet", spread(slower), slower.median <= 2
    )
    memory = find(accounts.logins, "service").spread("memory").high
    yield Goal("RSS while 4 clients log in", "≤ 200 MB", f"{memory:.0f} MB", memory <= 200)


def of_telemetry(figures: list[Figures]) -> Iterator[Goal]:
    for workload in telemetry.WORKLOADS:
        times = telemetry.relative(figures, workload, telemetry.ON)
        yield Goal(f"{workload}, traced", "≥ 0.7 times off", spread(times), times.median >= 0.7)


def of_mixed(figures: list[Figures]) -> Iterator[Goal]:
    times = ratio(find(figures, "service"), find(figures, "floor_a"))
    yield Goal("Read, wait, write", "≥ 0.9 times FLOOR-A", spread(times), times.median >= 0.9)


def of_startup(found: list[Startup]) -> Iterator[Goal]:
    for name, attribute in (
        ("Time to the first response", "seconds"),
        ("RSS after the first response", "memory"),
        ("RSS under load", "memory_under_load"),
    ):
        times = startup.relative(found, attribute)
        yield Goal(name, "≤ 1.15 times REF", spread(times), times.median <= 1.15)


def of_bursts(bursts: list[Burst]) -> Iterator[Goal]:
    for burst in bursts:
        if burst.contender == "service" and burst.requests == 1000:
            measured = f"{burst.succeeded} and {burst.refused}, {burst.slowest:.2f} s"
            met = burst.others == 0 and burst.slowest <= 5
            yield Goal("Burst of 1000", "200 or 503, none after 5 s", measured, met)


def of_round_trips(round_trips: list[RoundTrips]) -> Iterator[Goal]:
    [service] = [
        each for each in round_trips if (each.contender, each.driver) == ("service", "asyncpg")
    ]
    for workload, most in ROUND_TRIPS.items():
        found = service.workloads[workload]
        met = found == most if workload in EXACT else found <= most
        wanted = f"{most}" if workload in EXACT else f"≤ {most}"
        yield Goal(f"Round trips of {workload}", wanted, f"{found:g}", met)


def goals(results: Results) -> list[Goal]:
    """The goals of all sections that have results."""
    counts = results.instructions or []
    found: list[Goal] = []
    if results.main:
        found += of_main(results.main, counts)
    if results.drivers:
        found += of_drivers(results.drivers, counts)
    if results.accounts:
        found += of_accounts(results.accounts, counts)
    if results.telemetry:
        found += of_telemetry(results.telemetry)
    if results.mixed:
        found += of_mixed(results.mixed)
    if results.startup:
        found += of_startup(results.startup)
    if results.bursts:
        found += of_bursts(results.bursts)
    if results.round_trips:
        found += of_round_trips(results.round_trips)
    return found


def page(results: Results) -> str:
    found = goals(results)
    met = sum(each.met for each in found)
    rows = (
        [each.name, each.wanted, each.measured, each.counted, "met" if each.met else "**not met**"]
        for each in found
    )
    heads = ["Goal", "Wanted", "Measured", "By instructions", ""]
    return f"""\
{met} of {len(found)} goals are met. {CLIENTS} clients and asyncpg, unless said otherwise.
"By instructions" is the same ratio of the instructions of a request.

{table(heads, rows)}"""
