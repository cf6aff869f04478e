"""Latency by the number of rows: by key, by cursor and by offset."""

from dataclasses import dataclass

import httpx2

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.data import API
from benchmarks.figures import Figures, find
from benchmarks.load import Request
from benchmarks.markdown import number, table
from benchmarks.measure import compare
from benchmarks.workloads import WITH_TASKS

FIRST, CURSOR, OFFSET = "first page", "by cursor", "by OFFSET"
DEEPEST = 20_000
STEP = 100
FILL = """
INSERT INTO projects (id, name, description, created_at, updated_at, version)
SELECT uuidv7(-n * interval '1 second'), 'Row ' || n, 'What is to be done here',
    now() - n * interval '1 second', now(), 1
FROM generate_series(%s::int, %s::int) AS n
"""


@dataclass(frozen=True)
class Growth:
    """Figures with a number of rows, for pages after some of them."""

    rows: int
    skipped: int
    workloads: list[Figures]


def cursor_after(client: httpx2.Client, rows: int) -> str:
    """The cursor after a number of rows, found by reading all pages before it."""
    cursor = None
    for _ in range(rows // STEP):
        params = {"limit": str(STEP)} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"{API}/projects", params=params).raise_for_status().json()
        cursor = page["next_cursor"]
    return str(cursor)


def measure(bench: Bench) -> list[Growth]:
    database = bench.database("asyncpg")
    server = bench.server("postgresql")
    found = []
    schedule = bench.schedule.with_rounds(1)
    contenders = [bench.service("asyncpg"), Contender("ref", "asyncpg")]
    with bench.serving(contenders, database.location) as [service, ref]:
        for rows in bench.schedule.rows:
            with server.connect(database.name) as connection:
                [count] = connection.execute("SELECT count(*) FROM projects").fetchone()
                connection.execute(FILL, (count, rows - 1))
                connection.execute("VACUUM ANALYZE")
            skipped = min(DEEPEST, rows * 2 // 3 // STEP * STEP)
            projects = f"{API}/projects"
            with httpx2.Client(base_url=service.address, timeout=60) as client:
                cursor = cursor_after(client, skipped)
            asked = {
                WITH_TASKS: (service, f"{projects}/{database.data.project}"),
                FIRST: (service, f"{projects}?limit=20"),
                CURSOR: (service, f"{projects}?limit=20&cursor={cursor}"),
                OFFSET: (ref, f"{projects}?limit=20&offset={skipped}"),
            }
            figures = [
                compare([serving], schedule, workload, Request("GET", path), 1)[0]
                for workload, (serving, path) in asked.items()
            ]
            found.append(Growth(rows, skipped, figures))
    return found


def page(growth: list[Growth]) -> str:
    def cells(each: Growth) -> list[str]:
        services = [
            find(each.workloads, "service", workload=workload)
            for workload in (WITH_TASKS, FIRST, CURSOR)
        ]
        measured = [*services, find(each.workloads, "ref", workload=OFFSET)]
        return [number(figures.median("p50")) for figures in measured]

    heads = ["Rows", "Project with 20 tasks", "First page", "Rows before the page"]
    rows = []
    for each in growth:
        read, first, cursor, offset = cells(each)
        rows.append([f"{each.rows:,}", read, first, f"{each.skipped:,}", cursor, offset])
    return f"""\
Median latency in ms of one client on PostgreSQL, by the number of projects. The service reads the
page of 20 rows far down the list with a cursor, REF with `OFFSET`.

{table([*heads, "By cursor", "By OFFSET"], rows)}"""
