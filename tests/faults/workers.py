"""Workers of a service as processes, and what became of their jobs."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from harness.running import settings
from harness.waiting import eventually
from tests.faults.stack import Stack

# A worker whose clock is an hour ahead or behind.
WRONG_CLOCK = """
from datetime import timedelta
import sys
from app.core import models
now = models.utc_now
models.utc_now = lambda: now() + timedelta(hours={})
from app.worker import main
main()
"""


class Workers:
    """Processes of `python -m app.worker`, and their logs."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, count: int = 1, *, clock: int = 0, **environment: object) -> None:
        program = ["-c", WRONG_CLOCK.format(clock)] if clock else ["-m", "app.worker"]
        service = self.stack.service
        # On SQLite, writers of several processes retry until it is their turn.
        own = {"jobs_lease_seconds": 2, "database_lock_timeout": 30} | environment
        for _ in range(count):
            with (self.folder / f"worker{len(self.processes)}.log").open("wb") as output:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, *program],
                        cwd=service.folder,
                        env=service.variables | settings(self.stack.url(), own),
                        stdout=output,
                        stderr=output,
                    )
                )

    @property
    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker*.log")))

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(30)


def enqueue(stack: Stack, count: int, **options: float) -> None:
    """Enqueue jobs with the numbers from 0, by one process that then ends."""
    query = "&".join(f"{name}={value}" for name, value in options.items())
    with stack.serving() as service:
        for first in range(0, count, 100):
            path = f"/work?first={first}&count={min(100, count - first)}&{query}"
            service.call("POST", path)


def states(stack: Stack) -> dict[str, int]:
    """The number of jobs in each state; none while the database is down."""
    rows = stack.rows("SELECT state, count(*) FROM outbox WHERE kind = 'Work' GROUP BY state")
    return {str(state): int(count) for state, count in rows}


def runs(stack: Stack) -> Counter[int]:
    """How often each job has committed its work."""
    return Counter(int(name.partition(" ")[0]) for name in stack.names())


def until_succeeded(stack: Stack, workers: Workers, count: int, seconds: float = 120) -> None:
    def tell() -> str:
        return f"{states(stack)}\n{workers.log}"

    eventually(lambda: states(stack) == {"succeeded": count}, tell, seconds=seconds)


def until_some_succeeded(stack: Stack, workers: Workers, count: int) -> None:
    eventually(lambda: states(stack).get("succeeded", 0) >= count, lambda: workers.log)


def report(stack: Stack, count: int, took: float) -> str:
    found = runs(stack)
    twice = sum(number > 1 for number in found.values())
    return (
        f"{stack.driver}: {count} jobs, {len(found)} run, {twice} twice,"
        f" {count - len(found)} lost, {count / took:.0f} jobs/s"
    )
