"""Running the commands of a rendered service in its environment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from harness.rendering import ROOT

UV = str(Path(sys.executable).parent / "uv")
# Kept between runs. Resolved, because scripts in an environment contain its absolute path.
ENVIRONMENTS = (ROOT / ".venv").resolve() / "environments"
SECONDS_PER_COMMAND = 600


def folder_of_uv() -> Path:
    """Return a folder with only uv, for the PATH: a service's commands must not find ours."""
    folder = Path(sys.prefix, "uv")
    folder.mkdir(exist_ok=True)
    link = folder / "uv"
    if not link.exists():
        with suppress(FileExistsError):  # another worker made it
            link.symlink_to(UV)
    return folder


def cache_of_mypy(environment: Path) -> str:
    """Return the folder of a cache: the services in an environment have most modules in common."""
    return f"{environment}-mypy"


class InEnvironment(Protocol):
    """Makes a service of a folder, in the environment that tests share or in one with a name."""

    def __call__(self, folder: Path, environment: str = "") -> "Service": ...


class Service:
    """A rendered service with the environment that its pyproject.toml requires."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COV_", "PYTEST_")) and name != "VIRTUAL_ENV"
        }
        self.variables |= {
            "PATH": f"{folder_of_uv()}:{os.environ['PATH']}",
            "UV_PROJECT_ENVIRONMENT": str(environment),
            "UV_PYTHON": sys.executable,
            "MYPY_CACHE_DIR": cache_of_mypy(environment),
            "PYTHONDONTWRITEBYTECODE": "",
            # `pytest -n auto` starts no processes: they would import everything once more.
            "PYTEST_XDIST_AUTO_NUM_WORKERS": "0",
        }

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the service's folder; `stdout` has its complete output.

        On a timeout the command fails, and its whole process group is killed.
        """
        # A file, because a pipe stays open until the last child of the command exits.
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.variables | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
            try:
                process.wait(SECONDS_PER_COMMAND)
            except subprocess.TimeoutExpired:
                output.write(f"\nKilled after {SECONDS_PER_COMMAND} s")
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            output.seek(0)
            return subprocess.CompletedProcess(command, process.returncode, output.read())

    def succeed(self, *command: str, **variables: str) -> str:
        """Run a command that must succeed, and return its output."""
        result = self.run(*command, **variables)
        assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}"
        return result.stdout

    def fail(self, *command: str) -> str:
        """Run a command that must fail, and return its output."""
        result = self.run(*command)
        assert result.returncode != 0, f"{' '.join(command)}\n{result.stdout}"
        return result.stdout

    def install(self, locks: Path | None = None) -> None:
        """Install what pyproject.toml requires.

        If there is no lock file, it is taken from `locks`, where each is kept: to make one takes
        longer than to install all packages.
        """
        lock = self.folder / "uv.lock"
        kept = locks and locks / f"{self._requirements()}.lock"
        if kept and kept.exists() and not lock.exists():
            shutil.copy(kept, lock)
        self.succeed(UV, "sync", "--quiet")
        if kept and not kept.exists():
            written = kept.with_suffix(f".{os.getpid()}")
            shutil.copy(lock, written)
            written.rename(kept)  # at once: other workers read it

    def _requirements(self) -> str:
        """Return a hash of what determines the lock file."""
        pyproject = tomllib.loads((self.folder / "pyproject.toml").read_text())
        required = [pyproject["project"], pyproject.get("dependency-groups")]
        return sha256(json.dumps(required).encode()).hexdigest()

    def uv_run(self, *command: str) -> str:
        """Run a command that must succeed in the service's environment."""
        return self.succeed(UV, "run", "--no-sync", *command)

    def uv_run_failing(self, *command: str) -> str:
        """Run a command that must fail in the service's environment."""
        return self.fail(UV, "run", "--no-sync", *command)
