"""Running the commands of a rendered service in its environment."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

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
            # Services in one environment have most modules in common.
            "MYPY_CACHE_DIR": f"{environment}-mypy",
            "PYTHONDONTWRITEBYTECODE": "",
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

    def install(self) -> None:
        self.succeed(UV, "sync", "--quiet")

    def uv_run(self, *command: str) -> str:
        """Run a command that must succeed in the service's environment."""
        return self.succeed(UV, "run", "--no-sync", *command)

    def uv_run_failing(self, *command: str) -> str:
        """Run a command that must fail in the service's environment."""
        return self.fail(UV, "run", "--no-sync", *command)
