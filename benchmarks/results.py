"""The results of all sections, and their file."""

from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from benchmarks.figures import Figures
from benchmarks.machine import Machine
from benchmarks.sections.accounts import Accounts
from benchmarks.sections.bursts import Burst
from benchmarks.sections.growth import Growth
from benchmarks.sections.instructions import Count
from benchmarks.sections.latency import Latency
from benchmarks.sections.main import Main
from benchmarks.sections.rollups import Rollup
from benchmarks.sections.round_trips import RoundTrips
from benchmarks.sections.scaling import Scaling
from benchmarks.sections.startup import Startup
from benchmarks.sections.template import Template


@dataclass(frozen=True)
class Results:
    """The results of each section, or None if it has not been run; `dates` has the times."""

    machine: Machine
    dates: dict[str, str] = field(default_factory=dict)
    main: Main | None = None
    accounts: Accounts | None = None
    drivers: list[Figures] | None = None
    telemetry: list[Figures] | None = None
    mixed: list[Figures] | None = None
    pools: list[Figures] | None = None
    startup: list[Startup] | None = None
    instructions: list[Count] | None = None
    references: list[Figures] | None = None
    servers: list[Figures] | None = None
    scaling: Scaling | None = None
    pythons: list[Figures] | None = None
    bursts: list[Burst] | None = None
    latency: Latency | None = None
    round_trips: list[RoundTrips] | None = None
    layers: dict[str, float] | None = None
    growth: list[Growth] | None = None
    rollups: list[Rollup] | None = None
    template: Template | None = None


# With many clients they may stall, which is a result and not a failure.
BLOCKING = ("sync_block", "sync_thread")
JSON = TypeAdapter(Results)


def read(file: Path) -> Results:
    return JSON.validate_json(file.read_bytes())


def write(results: Results, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(JSON.dump_json(results, indent=1, round_trip=True) + b"\n")


def all_figures(part: Any) -> list[Figures]:
    """All figures in a part of the results."""
    if isinstance(part, Figures):
        return [part]
    if isinstance(part, list):
        return [figures for each in part for figures in all_figures(each)]
    if is_dataclass(part):
        parts = [getattr(part, each.name) for each in fields(part)]
        return [figures for each in parts for figures in all_figures(each)]
    return []


def failures(results: Results) -> list[str]:
    """Descriptions of requests that failed although they should not."""
    found = [
        f"{each.contender} failed: {each.workload}, {each.clients} clients, {each.driver}"
        for each in all_figures(results)
        if each.contender not in BLOCKING and (each.errors or not each.median("rate"))
    ]
    return found + [
        f"the service did not respond to {burst.others} of {burst.requests} concurrent requests"
        for burst in results.bursts or []
        if burst.contender == "service" and burst.others
    ]
