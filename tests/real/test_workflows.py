"""Workflows and Dockerfiles: what static checks find, and jobs that act runs on this machine.

act runs them without containers and ignores `services`, so the job of a service uses SQLite.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.projects import commit
from harness.rendering import ROOT, export, render
from harness.services import UV, Service
from harness.variants import Variant, named

Rendered = Callable[[Variant], Path]
Tested = Callable[[str, str], None]

ACTIONS = Path(__file__).parent / "actions"
# They differ in the services of their jobs and in the instructions of their Dockerfiles.
VARIANTS = [
    "aiosqlite-flat",
    "asyncpg-layered-jwt-all",
    "psycopg-flat-dev_sqlite",
    "asyncmy-by_feature-jwt",
]
# `sudo` and `make` for the job of this repository: MariaDB is installed already, and of
# `make test`, which takes tens of minutes, only the first part runs.
STUB_PROGRAMS = {
    "sudo": 'echo "stub: sudo $*"',
    "make": f'[ "$*" = test ] && exec {shutil.which("make")} lint',
}
SECONDS_PER_JOB = 1200


def program(name: str) -> str:
    path = Path(sys.executable).parent / name
    assert path.exists(), f"{name} is not installed: run `scripts/setup.sh real`."
    return str(path)


def version(name: str) -> str:
    """The version that a program prints."""
    output = subprocess.run(
        [program(name), "--version"], capture_output=True, text=True, check=True
    )
    numbers = re.search(r"\d+(\.\d+)+", output.stdout)
    assert numbers, output.stdout
    return numbers[0]


def workflows(repository: Path) -> list[str]:
    return sorted(map(str, repository.glob(".github/workflows/*.yml")))


@pytest.fixture(params=["this repository", *VARIANTS])
def repository(rendered: Rendered, request: pytest.FixtureRequest) -> Path:
    return ROOT if request.param == "this repository" else rendered(named(request.param))


def test_zizmor_finds_nothing_in_the_workflows(repository: Path, tested: Tested) -> None:
    tested("zizmor", version("zizmor"))
    files = [*workflows(repository), str(repository / ".github" / "dependabot.yml")]
    succeed(program("zizmor"), "--offline", "--no-config", "--no-progress", *files)


def test_actionlint_finds_nothing_in_the_workflows(repository: Path, tested: Tested) -> None:
    tested("actionlint", version("actionlint"))
    succeed(program("actionlint"), "-shellcheck", program("shellcheck"), *workflows(repository))


@pytest.mark.parametrize("name", VARIANTS)
def test_hadolint_finds_nothing_in_the_dockerfile(
    rendered: Rendered, name: str, tested: Tested
) -> None:
    tested("hadolint", version("hadolint"))
    succeed(program("hadolint"), str(rendered(named(name)) / "Dockerfile"))


def run_job(folder: Path, workflow: str, job: str, *options: str, programs: Path) -> str:
    """Run a job for a push to main, with stubs of its actions, and return the log of act.

    The commands find `programs` first, and uv, but nothing else of this environment.
    """
    path = folder / ".github" / "workflows" / workflow
    stubs = [
        f"--local-repository={action}={ACTIONS / name}"
        for action, name in set(re.findall(r"uses: (\S+/(\S+)@\S+)", path.read_text()))
        if name != "checkout"
    ]
    variables = Service(folder, Path()).variables
    for name in ("UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "PYTHONDONTWRITEBYTECODE"):
        del variables[name]
    variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
    return succeed(
        *(program("act"), "push", "--workflows", str(path), "--job", job),
        *("--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"),
        *("--action-cache-path", str(folder.parent / "act"), *stubs, *options),
        cwd=folder,
        env=variables,
        timeout=SECONDS_PER_JOB,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for stubs of programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    """A service on SQLite as its owner pushes it first: with a lock file, and committed."""
    folder = render(template, tmp_path / "service", **Variant("aiosqlite").answers)
    subprocess.run([UV, "lock", "--quiet"], cwd=folder, check=True)
    commit(folder)
    return folder


def test_act_runs_the_checks_of_a_service(service: Path, programs: Path, tested: Tested) -> None:
    tested("act", version("act"))
    log = run_job(service, "ci.yml", "check", programs=programs)
    assert re.search(r"mypy\.+\S*Passed", log), log


def test_act_runs_the_tests_of_a_service(service: Path, programs: Path, tested: Tested) -> None:
    tested("act", version("act"))
    log = run_job(service, "ci.yml", "test", "--matrix=python:3.11", programs=programs)
    assert "Python 3.11." in log
    assert "Required test coverage of 100.0% reached" in log


def test_act_runs_the_job_of_this_repository_with_stubs_of_sudo_and_make(
    tmp_path: Path, programs: Path, tested: Tested
) -> None:
    tested("act", version("act"))
    for name, command in STUB_PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    folder = export(tmp_path / "repository")
    commit(folder)
    log = run_job(folder, "ci.yml", "test", "--matrix=python:3.11", programs=programs)
    assert "stub: sudo apt-get install --yes mariadb-server" in log
    assert re.search(r"Success: no issues found in \d+ source files", log), log
