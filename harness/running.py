"""Running a service as its users do: a process on a real database."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from harness.servers import Server
from harness.services import UV, Service
from harness.waiting import free_port, wait_until_reachable

# Keeps a database on the server of the service's tests until stdin is closed.
DATABASE = """
import asyncio, sys, tempfile
from pathlib import Path

try:
    from tests.core.server import new_database, running_server
except ModuleNotFoundError:  # a service of 1.0.0
    from tests.server import new_database, running_server

async def keep(*kind):
    with tempfile.TemporaryDirectory() as folder:
        async with running_server(*kind, Path(folder), sys.argv[1]) as server:
            async with new_database(server, "system") as url:
                print(url, flush=True)
                await asyncio.to_thread(sys.stdin.read)

asyncio.run(keep(*sys.argv[2:]))
"""

# `python -m app.main` would not serve endpoints that tests append to that module.
SERVE = """
from app.main import app, settings

try:
    from app.core.server import serve
except ModuleNotFoundError:  # a service of 1.0.0
    from app.server import serve

serve(app, settings)
"""

ALEMBIC = """
import shlex, sys
from alembic.config import main

for command in sys.argv[1:]:
    main(shlex.split(command))
"""


@contextmanager
def database(service: Service, *kind: str) -> Iterator[str]:
    """The URL of an empty database on the server that the service's tests use."""
    with subprocess.Popen(
        [UV, "run", "--no-sync", "python", "-c", DATABASE, uuid4().hex, *kind],
        cwd=service.folder,
        env=service.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "the test server did not start"
            Server.created += not url.startswith("sqlite")
            yield url
            process.stdin.close()
            assert process.wait(60) == 0
        finally:
            process.kill()  # leaving the block waits for it


class Running:
    """A server process, a client of it, and its log."""

    def __init__(self, process: subprocess.Popen[bytes], client: httpx2.Client, log: Path) -> None:
        self.process = process
        self.client = client
        self.log_file = log

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The body of the response, which must have this status."""
        response = self.client.request(method, path, json=body)
        assert response.status_code == status, f"{method} {path}: {response.text}"
        return response.json() if response.content else None

    def stop(self) -> None:
        """Send SIGTERM if the process is running, and wait for a graceful shutdown."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(30)
            finally:
                self.process.kill()
            assert status == 0, f"exited with {status}\n{self.log}"


@contextmanager
def serving(
    service: Service, url: str, program: Sequence[str] = ("-c", SERVE), /, **environment: object
) -> Iterator[Running]:
    """The service on the database at `url`; keyword arguments are settings, lists are JSON."""
    own = {"port": str(free_port()), "shutdown_delay": "0"} | environment
    port = own["port"]
    variables = service.variables | settings(url, own)
    log = service.folder.parent / f"{port}.log"
    command = [str(python_of(service)), *program]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=service.folder, env=variables, stdout=output, stderr=output
        )
    # A connection limit of the client would hide the limits of the service.
    limits = httpx2.Limits(max_connections=None)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits) as client:
        running = Running(process, client, log)
        try:
            wait_until_reachable(
                lambda: client.get("/health/live").raise_for_status(),
                httpx2.HTTPError,
                process,
                log,
            )
            yield running
        finally:
            running.stop()


def settings(url: str, environment: Mapping[str, object]) -> dict[str, str]:
    values = {
        name.upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in environment.items()
    }
    return {"ENVIRONMENT": "test", "DATABASE_URL": url} | values


def python_of(service: Service) -> Path:
    return Path(service.variables["UV_PROJECT_ENVIRONMENT"], "bin", "python")


def run_in(service: Service, url: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the service's environment on a database."""
    return service.run(UV, "run", "--no-sync", *command, **settings(url, {}))


def succeed_in(service: Service, url: str, *command: str) -> str:
    return service.succeed(UV, "run", "--no-sync", *command, **settings(url, {}))


def alembic(service: Service, url: str, *commands: str) -> str:
    """Run commands of Alembic, such as "upgrade head", in one process; return their output."""
    return succeed_in(service, url, "python", "-c", ALEMBIC, *commands)
