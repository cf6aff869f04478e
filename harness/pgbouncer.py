"""PgBouncer in front of a PostgreSQL server, in transaction pooling mode."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from harness.servers import IS_ROOT, SECONDS_TO_STOP, SYSTEM_PATH, UNPRIVILEGED, Server
from harness.waiting import free_port, wait_until_reachable

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 200
ignore_startup_parameters = {ignored}
"""
# Startup parameters of a service that is not configured for PgBouncer.
LIMITS = "statement_timeout, lock_timeout, idle_in_transaction_session_timeout, options"


class PgBouncer(NamedTuple):
    port: int
    pid: int


@contextmanager
def pgbouncer(
    server: Server, ignored: str = "extra_float_digits", *, pool_size: int = 3
) -> Iterator[PgBouncer]:
    """A running PgBouncer with a pool of a few connections to the server."""
    program = shutil.which("pgbouncer", path=SYSTEM_PATH)
    if program is None:
        raise RuntimeError("PgBouncer is not installed: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        port = free_port()
        file = folder / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(
                server_port=server.port, port=port, ignored=ignored, pool_size=pool_size
            )
        )
        if IS_ROOT:
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
            address = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
            wait_until_reachable(
                lambda: psycopg.connect(address, connect_timeout=5).close(),
                psycopg.OperationalError,
                process,
                log,
            )
            yield PgBouncer(port, process.pid)
        finally:
            process.kill()
            process.wait(SECONDS_TO_STOP)
