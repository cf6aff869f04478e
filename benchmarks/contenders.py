"""What is measured: rendered services and references, each in a process."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.load import processes
from harness.rendering import ROOT
from harness.running import settings
from harness.waiting import free_port, wait_until_reachable

SECRET = "a secret that only the benchmark has"
SCHEMES = {
    "asyncpg": "postgresql+asyncpg",
    "psycopg": "postgresql+psycopg",
    "asyncmy": "mysql+asyncmy",
    "aiomysql": "mysql+aiomysql",
    "aiosqlite": "sqlite+aiosqlite",
}
# Settings without the limits that would reject the requests of benchmarks.
UNLIMITED = {
    "shutdown_delay": 0,
    "secret_key": SECRET,
    "log_level": "WARNING",
    "login_attempts": 1000,
    "login_attempts_per_account": 100_000,
    "login_attempts_per_address": 100_000,
    "registrations_per_address": 100_000,
}


@dataclass(frozen=True)
class Contender:
    """A rendered service, or without a folder the reference with this name."""

    name: str
    driver: str
    service: Path | None = None
    accounts: bool = False
    workers: int = 1


@dataclass(frozen=True)
class Serving:
    """A running contender; with accounts, `headers` are those of a user."""

    contender: Contender
    address: str
    pid: int
    headers: dict[str, str] = field(default_factory=dict)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill the processes: on SIGTERM, threads that wait for a connection take half a minute."""
    for each in processes(process.pid):
        each.kill()
    process.wait()


@contextmanager
def serving(contender: Contender, location: str, **environment: object) -> Iterator[Serving]:
    """The contender on the database at `location`, a URL without its scheme."""
    port = free_port()
    url = f"{SCHEMES[contender.driver]}://{location}"
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--log-level", "warning"]
    if contender.workers > 1:
        command += ["--workers", str(contender.workers)]
    if contender.service is not None:
        folder, module = contender.service, "app.main:app"
        own = settings(url, UNLIMITED | {"port": str(port)} | environment)
        if contender.workers == 1:
            command = [sys.executable, "-m", "app.main"]
            module = ""
    else:
        folder, module = ROOT, f"benchmarks.references.{contender.name}:app"
        own = {"DATABASE_URL": url, "DRIVER": contender.driver}
        own |= {"ACCOUNTS": "1"} if contender.accounts else {}
    with tempfile.TemporaryDirectory() as name:
        log = Path(name, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *filter(None, [module])],
                cwd=folder,
                env=os.environ | own,
                stdout=output,
                stderr=output,
            )
        try:
            connect = partial(socket.create_connection, ("127.0.0.1", port))
            wait_until_reachable(lambda: connect().close(), OSError, process, log)
            yield Serving(contender, f"http://127.0.0.1:{port}", process.pid)
        finally:
            if process.poll() is None:
                stop(process)
