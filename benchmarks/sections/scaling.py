"""What a process and a machine serve, and how much of it the database does, by CPU time."""

import re
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.bench import Bench, Database, LargePostgreSQL
from benchmarks.contenders import Serving
from benchmarks.figures import Figures, Spread
from benchmarks.load import Request, Result, processes
from benchmarks.markdown import number, spread, table
from benchmarks.measure import in_turn, send
from benchmarks.workloads import CREATE, LIST, READ, workloads
from harness.pgbouncer import pgbouncer
from harness.servers import IS_ROOT
from harness.waiting import eventually

PROCESSES = (1, 2, 4)
CLIENTS = 64
WORKLOADS = (READ, LIST, CREATE)
BOUNCED, REPLICATED = "4 processes, PgBouncer", "1 process, replica"
DATABASE, REPLICA, BOUNCER = "database", "replica", "PgBouncer"
# What the service sends for each workload, as prepared statements.
STATEMENTS = {
    READ: "SELECT * FROM tasks WHERE id = '{task}';",
    LIST: "SELECT * FROM projects ORDER BY created_at DESC, id DESC LIMIT 21;",
    CREATE: """\
BEGIN;
INSERT INTO projects (id, name, description, created_at, updated_at, version)
VALUES (gen_random_uuid(), gen_random_uuid()::text, '', now(), now(), 1);
COMMIT;""",
}


@dataclass(frozen=True)
class Load:
    """Requests of a service, and the CPU µs a request that other processes take in each round."""

    figures: Figures
    others: dict[str, list[float]]

    def other(self, name: str) -> float:
        return statistics.median(self.others[name])


@dataclass(frozen=True)
class Limit:
    """Transactions per second of pgbench with a workload's statements, and the server's CPU µs."""

    workload: str
    rates: list[float]
    cpu: list[float]


@dataclass(frozen=True)
class Scaling:
    loads: list[Load]
    limits: list[Limit]


def cpu_of(pid: int) -> float:
    """The CPU seconds of a process and its children, including ended ones."""
    own = psutil.Process(pid).cpu_times()
    seconds = own.children_user + own.children_system
    for process in processes(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return float(seconds)


def variant(workers: int) -> str:
    return f"{workers} process{'es' if workers > 1 else ''}"


def measure(bench: Bench) -> Scaling:
    database = bench.database("asyncpg")
    server = bench.server("postgresql")
    assert isinstance(server, LargePostgreSQL)
    assert server.process is not None
    service = bench.service("asyncpg")
    direct = [replace(service, workers=each, variant=variant(each)) for each in PROCESSES]
    requests = workloads(database.data)
    with pgbouncer(server, pool_size=20) as bouncer:
        location = f"postgres@127.0.0.1:{bouncer.port}/{database.name}"
        through = replace(
            service, workers=4, variant=BOUNCED, environment={"database_pgbouncer": True}
        )
        parts = {DATABASE: server.process.pid, BOUNCER: bouncer.pid}
        with (
            bench.serving(direct, database.location) as servings,
            bench.serving([through], location) as bounced,
        ):
            loads = [
                load
                for workload in WORKLOADS
                for load in loads_of(
                    bench, [*servings, *bounced], workload, requests[workload], parts
                )
            ]
    with standby_of(server) as standby:
        url = f"postgresql+asyncpg://{standby.address}/{database.name}"
        reading = replace(service, variant=REPLICATED, environment={"database_read_url": url})
        assert standby.process is not None
        parts = {DATABASE: server.process.pid, REPLICA: standby.process.pid}
        with bench.serving([reading], database.location) as servings:
            for workload in WORKLOADS:
                loads += loads_of(bench, servings, workload, requests[workload], parts)
    limits = [limit(bench, server, database, workload) for workload in WORKLOADS]
    return Scaling(loads, limits)


@contextmanager
def standby_of(server: LargePostgreSQL) -> Iterator[LargePostgreSQL]:
    with TemporaryDirectory(prefix="standby-") as name:
        if IS_ROOT:
            shutil.chown(name, "nobody")
        standby = LargePostgreSQL(Path(name), server)
        standby.start()
        try:
            standby.wait_for_replay(server)
            yield standby
        finally:
            standby.stop()


def loads_of(
    bench: Bench,
    servings: Sequence[Serving],
    workload: str,
    request: Request,
    parts: dict[str, int],
) -> list[Load]:
    clients = min(CLIENTS, bench.schedule.most_clients)
    others: dict[str, list[dict[str, float]]] = {}

    def run(serving: Serving, seconds: float) -> Result:
        before = {name: cpu_of(pid) for name, pid in parts.items()}
        result = send(serving, request, clients=clients, seconds=seconds)
        sent = max(1.0, result.rate * seconds)
        others.setdefault(serving.contender.variant, []).append(
            {name: 1e6 * (cpu_of(pid) - before[name]) / sent for name, pid in parts.items()}
        )
        return result

    found = in_turn(servings, bench.schedule, workload, CLIENTS, run)
    rounds = bench.schedule.rounds
    return [
        Load(
            figures,
            {name: [each[name] for each in others[figures.variant][-rounds:]] for name in parts},
        )
        for figures in found
    ]


def limit(bench: Bench, server: LargePostgreSQL, database: Database, workload: str) -> Limit:
    """What clients without a service do, of which pgbench runs 32 in one thread."""
    assert server.process is not None
    rates, cpu = [], []
    pid = server.process.pid
    running = len(processes(pid))
    with TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(STATEMENTS[workload].format(task=database.data.task))
        seconds = max(1, round(bench.schedule.seconds))
        for _ in range(bench.schedule.rounds):
            before = cpu_of(pid)
            output = subprocess.run(
                [
                    *(server.program("pgbench"), "--no-vacuum", "--protocol=prepared"),
                    *("--client=32", f"--time={seconds}", f"--file={script}"),
                    *("--host=127.0.0.1", f"--port={server.port}", "--username=postgres"),
                    database.name,
                ],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            # A process of the server that is ending is counted neither as alive nor as ended.
            eventually(lambda: len(processes(pid)) <= running)
            spent = cpu_of(pid) - before
            [transactions] = re.findall(r"actually processed: (\d+)", output)
            rates.append(int(transactions) / seconds)
            cpu.append(1e6 * spent / max(1, int(transactions)))
    return Limit(workload, rates, cpu)


def page(found: Scaling) -> str:
    loads = table(
        ["Workload", "Service", "Requests/s", "CPU µs: service", DATABASE, REPLICA, BOUNCER],
        (
            [
                *(of.workload, of.variant, spread(of.spread("rate"))),
                *(number(value) for value in (of.median("cpu"), each.other(DATABASE))),
                number(each.other(REPLICA)) if of.variant == REPLICATED else "",
                number(each.other(BOUNCER)) if of.variant == BOUNCED else "",
            ]
            for each in found.loads
            for of in [each.figures]
        ),
    )
    limits = table(
        ["Workload", "Transactions/s", "CPU µs: database"],
        (
            [each.workload, spread(Spread.of(each.rates)), number(statistics.median(each.cpu))]
            for each in found.limits
        ),
    )
    return f"""\
{CLIENTS} clients, asyncpg, uvicorn. The load generator, the service, PostgreSQL and PgBouncer share
the cores of the machine, so the requests per second end where its cores do. The CPU time of a
request tells what more cores serve: [scaling](scaling.md) does so. Behind PgBouncer, the service
prepares no statements. With a replica, lists are read from it, single rows are not, and it
applies the writes of the primary.

{loads}
pgbench sends the statements of a workload, prepared, from 32 clients in one thread:

{limits}"""


def per_core(found: Scaling) -> str:
    """What a core of the service and one of the database serve, for `docs/scaling.md`."""
    rows = []
    for load in found.loads:
        if load.figures.variant == variant(1):
            # A smoke test may take less than a tick of the clock.
            service, database = max(load.figures.median("cpu"), 1), max(load.other(DATABASE), 1)
            rows.append(
                [
                    load.figures.workload,
                    *(number(value) for value in (1e6 / service, 1e6 / database)),
                    number(service / database),
                ]
            )
    return table(
        [
            "Requests/s",
            "a core of the service",
            "a core of PostgreSQL",
            "cores of the service for one of PostgreSQL",
        ],
        rows,
    )


def with_figures(guide: str, found: Scaling) -> str:
    """The guide with its figures replaced by those of the results."""
    before, begin, rest = guide.partition("<!-- figures: written by `python -m benchmarks` -->\n")
    _, end, after = rest.partition("<!-- end of figures -->\n")
    assert end, "the guide has no place for its figures"
    return f"{before}{begin}\n{per_core(found)}\n{end}{after}"
