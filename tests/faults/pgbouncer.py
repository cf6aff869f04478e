"""PgBouncer in front of a PostgreSQL server, lending its connections out by the transaction."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.faults.servers import (
    ROOT,
    SECONDS_TO_START,
    SECONDS_TO_STOP,
    SYSTEM_PROGRAMS,
    UNPRIVILEGED,
    Server,
)
from tests.systems.running import free_port

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
ignore_startup_parameters = {ignored}
"""
# What services send that do not know of PgBouncer.
LIMITS = "statement_timeout, lock_timeout, idle_in_transaction_session_timeout, options"


@contextmanager
def pgbouncer(server: Server, ignored: str = "extra_float_digits") -> Iterator[int]:
    """The port of a PgBouncer that shares three connections to the server between its clients."""
    program = shutil.which("pgbouncer", path=SYSTEM_PROGRAMS)
    if program is None:
        raise RuntimeError("These tests need PgBouncer: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        port = free_port()
        file = folder / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(server_port=server.port, port=port, ignored=ignored))
        if ROOT:
            shutil.chown(folder, "nobody")
            shutil.chown(file, "nobody")
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, str(file)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                **UNPRIVILEGED,
            )
        try:
            wait_until_it_answers(port, process, log)
            yield port
        finally:
            process.kill()
            process.wait(SECONDS_TO_STOP)


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + SECONDS_TO_START
    place = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    while process.poll() is None and time.monotonic() < give_up:
        try:
            psycopg.connect(place, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"PgBouncer did not start\n{log.read_text()}")
