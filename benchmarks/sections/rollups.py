"""A summary that is computed for each request, and one that a job computes in advance."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.bench import Bench
from benchmarks.contenders import SCHEMES, SECRET, Contender, serving
from benchmarks.data import API
from benchmarks.figures import Figures
from benchmarks.load import Request
from benchmarks.markdown import number, table
from benchmarks.measure import compare
from harness.rendering import render
from harness.running import settings
from harness.services import Service

DATABASE = "rollups"
COMPUTED, READ = "computed", "in advance"
FILL = """
INSERT INTO measurements (id, sensor_id, measured_at, value)
SELECT uuidv7(), %s::uuid, now() - n * interval '1 second', n %% 40
FROM generate_series(%s::int, %s::int) AS n
"""


@dataclass(frozen=True)
class Rollup:
    """Figures with a number of measurements of one sensor, and the seconds of a refresh."""

    rows: int
    computed: Figures
    read: Figures
    refresh: float


def measure(bench: Bench) -> list[Rollup]:
    server = bench.server("postgresql")
    server.create_database(DATABASE)
    location = bench.location("postgresql", DATABASE)
    folder = bench.folder / "rollups"
    render(bench.template, folder, driver="asyncpg", examples=["measurements"], jobs="database")
    service = Service(folder, Path(sys.prefix))
    environment = settings(f"{SCHEMES['asyncpg']}://{location}", {"secret_key": SECRET})
    service.succeed(sys.executable, "-m", "alembic", "upgrade", "head", **environment)
    found = []
    with serving(Contender("service", "asyncpg", folder), location) as served:
        with httpx2.Client(base_url=served.address + API, timeout=60) as client:
            station = client.post("/stations", json={"name": "Harbor"}).raise_for_status().json()
            body = {"name": "Water", "unit": "°C"}
            sensor = client.post(f"/stations/{station['id']}/sensors", json=body).json()["id"]
        rows = 0
        for more in bench.schedule.rows[-2:]:
            with server.connect(DATABASE) as connection:
                connection.execute(FILL, (sensor, rows + 1, more))
                connection.execute("VACUUM ANALYZE")
                began = time.perf_counter()
                connection.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY sensor_summaries")
                refresh = time.perf_counter() - began
            rows = more
            computed, read = (
                compare([served], bench.schedule, workload, Request("GET", f"{API}{path}"), 1)[0]
                for workload, path in (
                    (COMPUTED, f"/sensors/{sensor}/statistics"),
                    (READ, f"/sensors/{sensor}/summary"),
                )
            )
            found.append(Rollup(rows, computed, read, refresh))
    return found


def page(rollups: list[Rollup]) -> str:
    rows = []
    for each in rollups:
        computed, read = each.computed.median("p50"), each.read.median("p50")
        cells = [number(computed), number(read), f"{computed / read:.0f}", f"{each.refresh:.2f} s"]
        rows.append([f"{each.rows:,}", *cells])
    heads = ["Measurements", "For each request", "In advance", "Ratio", "A refresh"]
    return f"""\
Median latency in ms of one client on PostgreSQL: count, minimum, maximum and average of all
measurements of a sensor, computed for each request, and read from the materialized view that a
background job refreshes.

{table(heads, rows)}"""
