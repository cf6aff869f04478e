"""Load by wrk, and the CPU time and memory that the server uses."""

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
    """A request; each @ in the body is replaced by a unique text."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Requests per second, latency in ms, errors, CPU µs per request, and memory in MB."""

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
    """Wait until the server has finished the requests of disconnected clients."""
    end = time.monotonic() + seconds
    before = -1.0
    while before != (before := cpu_seconds(serving)) and time.monotonic() < end:
        time.sleep(0.05)


def wrk() -> str:
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed: apt-get install wrk")
    return program


def load(address: str, pid: int, request: Request, *, clients: int, seconds: float) -> Result:
    """Send requests from concurrent clients without pauses; memory is the maximum.

    Raises `RuntimeError` if wrk is not installed.
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
        process.send_signal(signal.SIGINT)  # because --duration takes whole seconds
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
