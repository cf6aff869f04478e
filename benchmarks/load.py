"""Load from outside: wrk, and what the serving process spends meanwhile."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Request:
    """One kind of request; an @ in the body becomes a text that no other request has."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Of one run: requests in a second, milliseconds, errors, CPU microseconds a request, MB."""

    rate: float
    p50: float
    p99: float
    max: float
    errors: int
    cpu: float
    memory: float


def processes(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(serving: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in serving]
    return float(sum(time.user + time.system for time in times))


def memory_megabytes(serving: list[psutil.Process]) -> float:
    return float(sum(process.memory_info().rss for process in serving)) / 1e6


def settle(serving: list[psutil.Process], seconds: float = 3) -> None:
    """Wait until nothing is done any more for clients that have hung up."""
    end = time.monotonic() + seconds
    before = -1.0
    while before != (before := cpu_seconds(serving)) and time.monotonic() < end:
        time.sleep(0.05)


def wrk() -> str:
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("The benchmarks need wrk: apt-get install wrk")
    return program


def load(address: str, pid: int, request: Request, *, clients: int, seconds: float) -> Result:
    """What comes of so many clients that ask without a pause; the memory is the most it was.

    Raises `RuntimeError` where wrk is missing.
    """
    serving = processes(pid)
    before = cpu_seconds(serving)
    content = {"Content-Type": "application/json"} if request.body else {}
    headers = content | dict(request.headers)
    with subprocess.Popen(
        [
            *(wrk(), "--threads=1", f"--connections={clients}", "--duration=1h"),
            *("--timeout=60s", f"--script={SCRIPT}", address, "--"),
            *(request.method, request.path, request.body.replace("@", f"{uuid4().hex}-@")),
            *(f"{name}={value}" for name, value in headers.items()),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        end = time.monotonic() + seconds
        peak = 0.0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            peak = max(peak, memory_megabytes(serving))
        process.send_signal(signal.SIGINT)  # since wrk counts in whole seconds
        output, _ = process.communicate()
    spent = cpu_seconds(serving) - before
    settle(serving)
    found = json.loads(output.splitlines()[-1])
    return Result(
        rate=found["requests"] / found["seconds"],
        p50=found["p50"],
        p99=found["p99"],
        max=found["max"],
        errors=found["errors"],
        cpu=1e6 * spent / max(1, found["requests"]),
        memory=peak,
    )
