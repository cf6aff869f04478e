"""What is measured: rendered services and references, each in a process."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.load import processes
from harness.rendering import ROOT
from harness.running import settings
from harness.waiting import SECONDS_TO_START, free_port, wait_until_reachable

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
    """A rendered service, or without a folder the reference with this name.

    `variant` distinguishes contenders with the same name and driver. `environment` has settings of
    the service, or variables that the reference reads.
    """

    name: str
    driver: str
    service: Path | None = None
    accounts: bool = False
    workers: int = 1
    server: str = "uvicorn"
    python: str = sys.executable
    variant: str = ""
    environment: Mapping[str, object] = field(default_factory=dict)


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


def command(contender: Contender, port: int) -> list[str]:
    """The command that serves the contender in its folder, without a log of requests."""
    is_service = contender.service is not None
    if is_service and contender.workers == 1 and contender.server == "uvicorn":
        return [contender.python, "-m", "app.main"]
    module = "app.main:app" if is_service else f"benchmarks.references.{contender.name}:app"
    server = [contender.python, "-m", contender.server, "--port", str(port)]
    if contender.server == "granian":
        options = ["--interface", "asgi", "--log-level", "warning"]
    else:
        options = ["--no-access-log", "--log-level", "warning"]
    return [*server, *options, "--workers", str(contender.workers), module]


def environment(contender: Contender, location: str, port: int) -> dict[str, str]:
    url = f"{SCHEMES[contender.driver]}://{location}"
    if contender.service is not None:
        return settings(url, {**UNLIMITED, "port": str(port), **contender.environment})
    own = {"DATABASE_URL": url, "DRIVER": contender.driver}
    if contender.accounts:
        own["ACCOUNTS"] = "1"
    return own | {name.upper(): str(value) for name, value in contender.environment.items()}


@contextmanager
def serving(contender: Contender, location: str, *under: str) -> Iterator[Serving]:
    """The contender on the database at `location`, a URL without its scheme.

    `under` is a command that runs the command of the contender, such as valgrind.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        log = Path(name, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*under, *command(contender, port)],
                cwd=contender.service or ROOT,
                env=os.environ | environment(contender, location, port),
                stdout=output,
                stderr=output,
            )
        try:
            connect = partial(socket.create_connection, ("127.0.0.1", port))
            seconds = 600 if under else SECONDS_TO_START
            wait_until_reachable(lambda: connect().close(), OSError, process, log, seconds=seconds)
            yield Serving(contender, f"http://127.0.0.1:{port}", process.pid)
        finally:
            if process.poll() is None:
                stop(process)
