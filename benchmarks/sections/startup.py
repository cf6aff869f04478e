"""The time from the start of a process to its first response, and its memory."""

import time
from dataclasses import dataclass

import httpx2

from benchmarks.bench import Bench, with_user
from benchmarks.contenders import Contender, serving
from benchmarks.figures import Spread
from benchmarks.load import memory_megabytes, processes
from benchmarks.markdown import TITLES, spread, table
from benchmarks.measure import CLIENTS, send
from benchmarks.workloads import READ, workloads


@dataclass(frozen=True)
class Startup:
    """Of each start: seconds to the first response, MB then, and MB under load."""

    contender: str
    seconds: list[float]
    memory: list[float]
    memory_under_load: list[float]


def measure(bench: Bench) -> list[Startup]:
    database = bench.database("asyncpg")
    read = workloads(database.data)[READ]
    contenders = [
        bench.service("asyncpg"),
        Contender("floor_b", "asyncpg"),
        Contender("ref", "asyncpg"),
    ]
    found = [Startup(each.name, [], [], []) for each in contenders]
    for number in range(bench.schedule.rounds + 1):
        for contender, startup in zip(contenders, found, strict=True):
            began = time.perf_counter()
            with serving(contender, database.location) as started:
                served = with_user(started)
                with httpx2.Client(base_url=served.address, timeout=60) as client:
                    client.get(read.path).raise_for_status()
                seconds = time.perf_counter() - began
                if number == 0:  # compiles modules, and fills the caches of the disk
                    continue
                startup.seconds.append(seconds)
                startup.memory.append(memory_megabytes(processes(served.pid)))
                result = send(served, read, clients=CLIENTS, seconds=bench.schedule.seconds)
                startup.memory_under_load.append(result.memory)
    return found


def relative(found: list[Startup], name: str) -> Spread:
    """What the service takes, relative to REF, in each round."""
    [service] = [each for each in found if each.contender == "service"]
    [ref] = [each for each in found if each.contender == "ref"]
    pairs = zip(getattr(service, name), getattr(ref, name), strict=True)
    return Spread.of(one / other for one, other in pairs)


def page(found: list[Startup]) -> str:
    rows = [
        [
            TITLES[each.contender],
            *(spread(Spread.of(v)) for v in (each.seconds, each.memory, each.memory_under_load)),
        ]
        for each in found
    ]
    heads = ["Contender", "Seconds to the first response", "RSS then, MB"]
    return f"""\
One process on asyncpg. The first response contains a row of the database. The load is read one,
{CLIENTS} clients.

{table([*heads, "RSS under load, MB"], rows)}"""
