"""Other versions of Python, with the same versions of all packages."""

import subprocess
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.contenders import Contender
from benchmarks.figures import Figures
from benchmarks.markdown import by_variant
from benchmarks.measure import compare
from benchmarks.workloads import CREATE, READ, workloads
from harness.interpreters import interpreter
from harness.services import ENVIRONMENTS, UV

# What the contenders on asyncpg import.
PACKAGES = (
    *(
        "alembic",
        "asyncpg",
        "fastapi",
        "orjson",
        "pwdlib[argon2]",
        "pydantic[email]",
        "pydantic-settings",
    ),
    *("pyjwt", "python-multipart", "sqlalchemy[asyncio]", "uuid-utils", "uvicorn[standard]"),
    *("greenlet", "httptools", "uvloop"),
)


def environment(version: str) -> Path:
    """The Python of an environment with this version. Raises `RuntimeError` if there is none."""
    folder = ENVIRONMENTS / f"benchmarks-{version}"
    python = folder / "bin" / "python"
    create = [UV, "venv", "--quiet", "--allow-existing", "--python", interpreter(version)]
    pinned = [f"{package}=={installed(package.partition('[')[0])}" for package in PACKAGES]
    install = [UV, "pip", "install", "--quiet", "--python", str(python), *pinned]
    for command in ([*create, str(folder)], install):
        subprocess.run(command, check=True)
    return python


def measure(bench: Bench) -> list[Figures]:
    database = bench.database("asyncpg")
    asked = workloads(database.data)
    contenders = []
    for version in bench.schedule.pythons:
        try:
            python = str(environment(version))
        except RuntimeError as error:
            print(error)
            continue
        contenders += [
            replace(each, python=python, variant=version)
            for each in (
                bench.service("asyncpg"),
                Contender("floor_b", "asyncpg"),
                Contender("ref", "asyncpg"),
            )
        ]
    with bench.serving(contenders, database.location) as servings:
        return [
            figures
            for workload in (READ, CREATE)
            for figures in compare(servings, bench.schedule, workload, asked[workload])
        ]


def page(figures: list[Figures]) -> str:
    return f"""\
All versions are measured in turn, so that the rows can be compared with each other.

{by_variant(figures, "Python")}"""
