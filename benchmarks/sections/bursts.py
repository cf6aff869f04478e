"""Many requests at the same moment, on connections that are open already."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.markdown import TITLES, table
from benchmarks.pace import Pace
from benchmarks.works import READ, works


@dataclass(frozen=True)
class Burst:
    """How many were answered with 200, with 503 and otherwise or not, and the slowest seconds."""

    contender: str
    requests: int
    succeeded: int
    refused: int
    others: int
    slowest: float


async def burst(address: str, path: str, requests: int, patience: float) -> list[tuple[int, float]]:
    """The status and the seconds of each, 0 where none came in time."""
    place = urlsplit(address)
    sent = f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode()
    streams = [await asyncio.open_connection(place.hostname, place.port) for _ in range(requests)]
    began = time.perf_counter()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, float]:
        status = 0
        try:
            async with asyncio.timeout(patience):
                writer.write(sent)
                answer = await reader.read()
            status = int(answer.split(b" ", 2)[1]) if answer else 0
        except (TimeoutError, OSError):
            pass
        finally:
            writer.close()
        return status, time.perf_counter() - began

    return await asyncio.gather(*(ask(*stream) for stream in streams))


def counted(contender: str, answers: Iterable[tuple[int, float]]) -> Burst:
    found = list(answers)
    statuses = Counter(status for status, _ in found)
    others = len(found) - statuses[200] - statuses[503]
    slowest = max(seconds for _, seconds in found)
    return Burst(contender, len(found), statuses[200], statuses[503], others, slowest)


def measure(bench: Bench) -> list[Burst]:
    database = bench.database("asyncpg")
    path = works(database.data)[READ].path
    patience = bench.pace.patience
    references = [Contender("ref", "asyncpg"), Contender("sync_thread", "psycopg")]
    with bench.serving([bench.service("asyncpg"), *references], database.place) as servings:
        for serving in servings:
            asyncio.run(burst(serving.address, path, 10, patience))
        return [
            counted(
                serving.contender.name,
                asyncio.run(burst(serving.address, path, requests, patience)),
            )
            for requests in bench.pace.bursts
            for serving in servings
        ]


def page(bursts: list[Burst]) -> str:
    heads = ["Contender", "Requests", "200", "503", "Others or none", "Slowest, s"]
    rows = [
        [
            *(TITLES[each.contender], each.requests, each.succeeded, each.refused, each.others),
            f"{each.slowest:.2f}",
        ]
        for each in bursts
    ]
    return f"""\
Read one, sent at the same moment on connections that were open before; nobody waits for
more than {Pace().patience:g} s.

{table(heads, rows)}"""
