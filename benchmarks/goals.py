"""The goals of the service on PostgreSQL with asyncpg in one process, and whether it meets them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.figures import Figures, find, ratio
from benchmarks.markdown import number, spread, table
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.sections.accounts import Accounts, slowdown
from benchmarks.sections.bursts import Burst
from benchmarks.sections.main import CROWD, Main
from benchmarks.sections.round_trips import AUTHENTICATED, RoundTrips
from benchmarks.workloads import CREATE, LIST, READ, WITH_TASKS

ROUND_TRIPS = {READ: 1, LIST: 1, WITH_TASKS: 2, CREATE: 3, AUTHENTICATED: 2}
EXACT = (READ, LIST, WITH_TASKS)


@dataclass(frozen=True)
class Goal:
    name: str
    wanted: str
    measured: str
    met: bool


def at_least(name: str, figures: list[Figures], other: str, least: float, **of: object) -> Goal:
    """The goal to answer at least `least` times as many requests as another contender."""
    times = ratio(find(figures, "service", **of), find(figures, other, **of))
    title = {"floor_a": "FLOOR-A", "floor_b": "FLOOR-B", "ref": "REF"}[other]
    return Goal(name, f"≥ {least} times {title}", spread(times), times.median >= least)


def of_main(main: Main) -> Iterator[Goal]:
    for workload in (READ, LIST):
        yield at_least(workload, main.workloads, "floor_b", 0.5, workload=workload, clients=CLIENTS)
        yield at_least(workload, main.workloads, "ref", 2, workload=workload, clients=CLIENTS)
    yield at_least(CREATE, main.workloads, "ref", 2, workload=CREATE)
    for clients in (CLIENTS, CROWD):
        read = find(main.workloads, "service", workload=READ, clients=clients)
        times = ratio_of_percentiles(read)
        name = f"p99 of {READ}, {clients} clients"
        yield Goal(name, "≤ 3 times p50", number(times), times <= 3)


def ratio_of_percentiles(figures: Figures) -> float:
    return figures.median("p99") / figures.median("p50")


def of_accounts(accounts: Accounts) -> Iterator[Goal]:
    yield at_least(f"{READ}, authenticated", accounts.reads, "ref", 1.8)
    slower = slowdown(accounts, "service")
    yield Goal(
        "p50 of reads while 4 clients log in", "≤ 2 times quiet", spread(slower), slower.median <= 2
    )
    memory = find(accounts.logins, "service").spread("memory").high
    yield Goal("RSS while 4 clients log in", "≤ 200 MB", f"{memory:.0f} MB", memory <= 200)


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
    found: list[Goal] = []
    if results.main:
        found += of_main(results.main)
    if results.accounts:
        found += of_accounts(results.accounts)
    if results.mixed:
        found.append(at_least("Read, wait, write", results.mixed, "floor_a", 0.9))
    if results.bursts:
        found += of_bursts(results.bursts)
    if results.round_trips:
        found += of_round_trips(results.round_trips)
    return found


def page(results: Results) -> str:
    return table(
        ["Goal", "Wanted", "Measured", ""],
        (
            [each.name, each.wanted, each.measured, "met" if each.met else "**not met**"]
            for each in goals(results)
        ),
    )
