"""Waiting for a condition or for a process to be reachable, and free ports."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

SECONDS_TO_START = 60


def eventually(
    condition: Callable[[], object],
    tell: Callable[[], object] = str,
    *,
    seconds: float = 30,
    interval: float = 0.02,
) -> None:
    """Wait until a condition is true. Raises `AssertionError` if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {tell()}"
        time.sleep(interval)


def wait_until_reachable(
    connect: Callable[[], object],
    errors: type[Exception] | tuple[type[Exception], ...],
    process: subprocess.Popen[bytes],
    log: Path,
    *,
    seconds: float = SECONDS_TO_START,
) -> None:
    """Wait until `connect` raises none of `errors`.

    Raises `AssertionError` with the log if that takes too long or the process exits.
    """

    def is_reachable() -> bool:
        assert process.poll() is None, f"exited with {process.returncode}\n{log.read_text()}"
        try:
            connect()
        except errors:
            return False
        return True

    eventually(is_reachable, log.read_text, seconds=seconds)


def wait_until_served(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a GET of a URL succeeds. Raises what `wait_until_reachable` raises."""
    wait_until_reachable(lambda: httpx2.get(url).raise_for_status(), httpx2.HTTPError, process, log)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
