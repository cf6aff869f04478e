"""The CPU time of each layer of a read."""

import json
import sys
from pathlib import Path

from benchmarks import layers
from benchmarks.bench import Bench
from benchmarks.contenders import SCHEMES, UNLIMITED
from benchmarks.markdown import number, table
from harness.running import settings
from harness.services import Service

NAMES = (
    "asyncpg: a row by its key, on one connection",
    "SQLAlchemy Core: the same",
    "SQLAlchemy Core: the same, with a connection from the pool",
    "`ReadSession.scalar`: an object by its key",
    "FastAPI and our middleware: `/health/live`, which does nothing",
    "All layers: read one",
)


def measure(bench: Bench) -> dict[str, float]:
    """The CPU microseconds of each layer."""
    database = bench.database("asyncpg")
    folder = bench.service("asyncpg").service
    assert folder is not None
    service = Service(folder, Path(sys.prefix))
    url = f"{SCHEMES['asyncpg']}://{database.location}"
    command = [sys.executable, layers.__file__, database.data.task, str(bench.schedule.batches)]
    output = service.succeed(*command, **settings(url, UNLIMITED))
    return dict(zip(NAMES, json.loads(output.splitlines()[-1]), strict=True))


def page(costs: dict[str, float]) -> str:
    whole = costs[NAMES[-1]]
    rows = [[name, number(cost), f"{100 * cost / whole:.0f} %"] for name, cost in costs.items()]
    return f"""\
CPU microseconds in one process, one request at a time, without a network and a server. The server
takes the rest of a request.

{table(["Layer", "CPU µs", "Share"], rows)}"""
