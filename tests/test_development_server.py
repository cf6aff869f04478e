"""The database server for development that a service starts without Docker."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from socket import create_server
from tempfile import TemporaryDirectory

import psutil
import pytest

from harness.parts import nightly
from harness.projects import replace
from harness.servers import Server
from harness.variants import Variant
from harness.waiting import eventually, free_port

COMMAND = [sys.executable, "-m", "tests.core.development_server"]
PORTS = {"asyncpg": "5432", "aiomysql": "3306"}


class Development:
    """A service in development, whose database has a port of its own."""

    def __init__(self, folder: Path, driver: str) -> None:
        Server.created += 1
        self.folder = folder
        self.port = free_port()
        replace(folder, ".env", f"localhost:{PORTS[driver]}", f"localhost:{self.port}")

    def run(self, *command: str, **variables: str) -> tuple[int, str]:
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout

    def alembic(self, *arguments: str) -> str:
        status, output = self.run(sys.executable, "-m", "alembic", *arguments)
        assert status == 0, output
        return output

    @contextmanager
    def server(self) -> Iterator[psutil.Popen]:
        """A running server, whose processes are killed at the end unless it has stopped."""
        with (self.folder / "output").open("w+") as output:
            process = psutil.Popen(COMMAND, cwd=self.folder, stdout=output, stderr=output)
            try:
                eventually(lambda: "Ctrl-C" in self.output() or process.poll() is not None)
                assert process.poll() is None, self.output()
                yield process
            finally:
                self.kill(process)

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def kill(self, process: psutil.Popen) -> None:
        if process.poll() is None:
            killed = [process, *process.children(recursive=True)]
            for one in killed:
                one.kill()
            psutil.wait_procs(killed)


@pytest.fixture(params=["asyncpg", nightly("aiomysql")])
def development(
    request: pytest.FixtureRequest, rendered: Callable[[Variant], Path]
) -> Iterator[Development]:
    # Not in pytest's folder, which is closed to the user that PostgreSQL runs as.
    with TemporaryDirectory(prefix="development-") as name:
        folder = copytree(rendered(Variant(request.param)), Path(name) / "my service's")
        yield Development(folder, request.param)


def test_data_outlives_a_crash_and_a_stop_of_the_server(development: Development) -> None:
    with development.server() as process:
        assert f"localhost:{development.port}" in development.output()
        development.alembic("upgrade", "head")
        status, output = development.run(*COMMAND)
        assert status == 0, output
        assert "is already running at localhost" in output
        development.kill(process)  # which leaves the file with the PID of the server
    with development.server() as process:
        assert "(head)" in development.alembic("current")
        process.send_signal(signal.SIGHUP)  # the terminal was closed
        assert process.wait() == 0


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ENVIRONMENT": "production"}, "production"),
        ({"DATABASE_URL": "{kind}://me@db.example/name"}, "names another machine"),
    ],
)
def test_server_is_only_for_development_on_this_machine(
    development: Development, variables: dict[str, str], message: str
) -> None:
    kind = "postgresql" if "postgresql" in (development.folder / ".env").read_text() else "mysql"
    values = {name: value.format(kind=kind) for name, value in variables.items()}
    status, output = development.run(*COMMAND, **values)
    assert status == 1
    assert message in output
    assert "Traceback" not in output


@pytest.mark.nightly
def test_port_of_another_program_is_refused(development: Development) -> None:
    with create_server(("127.0.0.1", development.port)):
        status, output = development.run(*COMMAND)
    assert status == 1
    assert "write another port into DATABASE_URL" in output
    assert not (development.folder / ".database").exists()
