"""Where the time of one read goes: what each layer alone costs in CPU."""

import json
import sys
from pathlib import Path

from benchmarks import layers
from benchmarks.bench import Bench
from benchmarks.contenders import PATIENT, SCHEMES
from benchmarks.markdown import number, table
from harness.running import settings
from harness.services import Service

NAMES = (
    "asyncpg: a row by its key, on one connection",
    "SQLAlchemy Core: the same",
    "SQLAlchemy Core: the same, with a connection from the pool",
    "`ReadSession.scalar`: an object by its key",
    "FastAPI and our middleware: `/health/live`, which does nothing",
    "All of it: read one",
)


def measure(bench: Bench) -> dict[str, float]:
    """CPU microseconds of each."""
    database = bench.database("asyncpg")
    folder = bench.service("asyncpg").service
    assert folder is not None
    service = Service(folder, Path(sys.prefix))
    url = f"{SCHEMES['asyncpg']}://{database.place}"
    command = [sys.executable, layers.__file__, database.data.task, str(bench.pace.batches)]
    output = service.succeed(*command, **settings(url, PATIENT))
    return dict(zip(NAMES, json.loads(output.splitlines()[-1]), strict=True))


def page(costs: dict[str, float]) -> str:
    whole = costs[NAMES[-1]]
    rows = [[name, number(cost), f"{100 * cost / whole:.0f} %"] for name, cost in costs.items()]
    return f"""\
Microseconds of CPU in one process, one after the other, without a network and without a server
in front; the rest of a request is the server's.

{table(["Layer", "CPU µs", "Of all"], rows)}"""
