"""Many simultaneous requests on open connections."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.markdown import TITLES, table
from benchmarks.schedule import Schedule
from benchmarks.workloads import READ, workloads


@dataclass(frozen=True)
class Burst:
    """How many responses were 200, 503 and others or none, and the longest time in seconds."""

    contender: str
    requests: int
    succeeded: int
    refused: int
    others: int
    slowest: float


async def burst(address: str, path: str, requests: int, timeout: float) -> list[tuple[int, float]]:
    """Status and seconds of each request; the status is 0 without a response in time."""
    url = urlsplit(address)
    request = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode()
    streams = [await asyncio.open_connection(url.hostname, url.port) for _ in range(requests)]
    began = time.perf_counter()

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, float]:
        status = 0
        try:
            async with asyncio.timeout(timeout):
                writer.write(request)
                response = await reader.read()
            status = int(response.split(b" ", 2)[1]) if response else 0
        except (TimeoutError, OSError):
            pass
        finally:
            writer.close()
        return status, time.perf_counter() - began

    return await asyncio.gather(*(send(*stream) for stream in streams))


def counted(contender: str, responses: Iterable[tuple[int, float]]) -> Burst:
    found = list(responses)
    statuses = Counter(status for status, _ in found)
    others = len(found) - statuses[200] - statuses[503]
    slowest = max(seconds for _, seconds in found)
    return Burst(contender, len(found), statuses[200], statuses[503], others, slowest)


def measure(bench: Bench) -> list[Burst]:
    database = bench.database("asyncpg")
    path = workloads(database.data)[READ].path
    timeout = bench.schedule.timeout
    references = [Contender("ref", "asyncpg"), Contender("sync_thread", "psycopg")]
    with bench.serving([bench.service("asyncpg"), *references], database.location) as servings:
        for serving in servings:
            asyncio.run(burst(serving.address, path, 10, timeout))
        return [
            counted(
                serving.contender.name,
                asyncio.run(burst(serving.address, path, requests, timeout)),
            )
            for requests in bench.schedule.bursts
            for serving in servings
        ]


def page(bursts: list[Burst]) -> str:
    heads = ["Contender", "Requests", "200", "503", "Other or none", "Slowest, s"]
    rows = [
        [
            *(TITLES[each.contender], each.requests, each.succeeded, each.refused, each.others),
            f"{each.slowest:.2f}",
        ]
        for each in bursts
    ]
    return f"""\
Read one, sent simultaneously on open connections. The timeout of clients is
{Schedule().timeout:g} s.

{table(heads, rows)}"""
