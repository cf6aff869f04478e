"""What a millisecond between service and database costs."""

import time
from dataclasses import dataclass
from statistics import median

import psycopg

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import against, details
from benchmarks.measure import compare
from benchmarks.wire import slower
from benchmarks.works import CREATE, LIST, READ, WITH_TASKS, works

DELAY = 0.001
REFERENCES = {"floor_b": "asyncpg", "ref": "asyncpg", "sync_thread": "psycopg"}


@dataclass(frozen=True)
class Latency:
    """`added` is what a round trip takes longer, in milliseconds."""

    added: float
    works: list[Figures]


def milliseconds(place: str) -> float:
    """Of a round trip to the database at `place`."""
    times = []
    with psycopg.connect(f"postgresql://{place}", autocommit=True) as connection:
        for _ in range(100):
            began = time.perf_counter()
            connection.execute("SELECT 1")
            times.append(time.perf_counter() - began)
    return 1000 * median(times)


def measure(bench: Bench) -> Latency:
    database = bench.database("asyncpg")
    asked = works(database.data)
    contenders = [Contender(name, driver) for name, driver in REFERENCES.items()]
    server = bench.server("postgresql")
    with slower(server.port, DELAY) as port:
        place = database.place.replace(f":{server.port}", f":{port}")
        added = milliseconds(place) - milliseconds(database.place)
        with bench.serving([bench.service("asyncpg"), *contenders], place) as servings:
            figures = [
                figures
                for work in (READ, LIST, WITH_TASKS, CREATE)
                for figures in compare(servings, bench.pace, work, asked[work])
            ]
    return Latency(added, figures)


def page(latency: Latency) -> str:
    return f"""\
A proxy on the same machine holds up what is sent to the database: a round trip takes
{latency.added:.1f} ms longer. The proxy needs processor time too, which all of them pay.

{against(latency.works, REFERENCES)}
{details(latency.works)}"""
