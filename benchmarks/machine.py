"""The machine of the benchmarks, without anything that identifies it."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from harness.postgresql import PostgreSQL
from harness.servers import SYSTEM_PATH

LIBRARIES = (
    *("fastapi", "starlette", "pydantic", "sqlalchemy", "uvicorn", "uvloop", "httptools"),
    *("asyncpg", "psycopg", "asyncmy", "aiomysql", "aiosqlite"),
)


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    memory: float
    system: str
    versions: dict[str, str]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def output_of(*command: str) -> str:
    environment = os.environ | {"PATH": SYSTEM_PATH}
    output = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return output.stdout.strip() or output.stderr.strip()


def this_machine() -> Machine:
    servers = {
        "PostgreSQL": output_of(PostgreSQL.program("postgres"), "--version").split()[-1],
        "MariaDB": output_of("mariadbd", "--version").split("Ver ")[-1].split("-")[0],
        "wrk": output_of("wrk", "--version").split()[1],
    }
    return Machine(
        processor(),
        os.cpu_count() or 1,
        round(psutil.virtual_memory().total / 1e9, 1),
        platform.system(),
        {"Python": platform.python_version(), **servers, **{n: version(n) for n in LIBRARIES}},
    )
