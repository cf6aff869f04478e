"""Counting the instructions of a contender with callgrind, in user space of its process."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import Contender, Serving, serving
from benchmarks.exact_load import Clients
from benchmarks.load import Request
from harness.waiting import eventually

# Under callgrind, everything takes fifty times as long. Not 0, which would switch the log of slow
# statements off.
PATIENT = {
    "slow_query_seconds": 3600,
    "database_pool_timeout": 60,
    "database_statement_timeout": 3600,
    "database_lock_timeout": 600,
}


def patient(contender: Contender) -> Contender:
    """The contender without its timeouts."""
    limits = PATIENT if contender.service else {"pool_timeout": 3600}
    return replace(contender, environment={**contender.environment, **limits})


@contextmanager
def counted(contender: Contender, location: str, folder: Path) -> Iterator[Serving]:
    """The contender under callgrind, which does not count yet and writes its files to `folder`."""
    if contender.service is None and contender.driver == "aiosqlite":
        location += f"?timeout={PATIENT['database_lock_timeout']}"
    options = ("--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out")
    with serving(patient(contender), location, "valgrind", *options) as served:
        yield served


def control(pid: int, *options: str) -> None:
    command = ["callgrind_control", *options, str(pid)]
    subprocess.run(command, check=True, capture_output=True, text=True)


def instructions(pid: int, folder: Path, run: Callable[[], object]) -> int:
    """The instructions of a process under callgrind during `run`."""
    before = set(folder.glob("out*"))
    control(pid, "--instr=on")
    control(pid, "--zero")
    run()
    control(pid, "--dump")
    control(pid, "--instr=off")
    eventually(lambda: set(folder.glob("out*")) - before)
    [file] = set(folder.glob("out*")) - before
    totals = re.search(r"^totals: (\d+)$", file.read_text(), re.MULTILINE)
    assert totals is not None, f"{file} has no totals"
    return int(totals[1])


def thousands(
    served: Serving, folder: Path, request: Request, *, clients: int, warm_up: int, requests: int
) -> float:
    """Thousands of instructions for each of some requests, after others that are not counted."""
    with closing(Clients(served.address, request, served.headers, clients)) as sending:
        sending.send(warm_up)
        total = instructions(served.pid, folder, lambda: sending.send(requests))
    return total / requests / 1000
