"""Running a rendered service's own commands, in its own environment."""

import os
import subprocess
import sys
from pathlib import Path

UV = str(Path(sys.executable).parent / "uv")


class Service:
    """A rendered service with the environment that its own pyproject.toml asks for."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.folder = folder
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COV_", "PYTEST_")) and name != "VIRTUAL_ENV"
        }
        self.variables |= {
            "UV_PROJECT_ENVIRONMENT": str(environment),
            "UV_PYTHON": sys.executable,
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the service's folder; the output is in `stdout`."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def succeed(self, *command: str) -> str:
        """Run a command that must succeed, and return its output."""
        result = self.run(*command)
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
        """Run a command of the service's environment that must succeed."""
        return self.succeed(UV, "run", "--no-sync", *command)

    def uv_run_failing(self, *command: str) -> str:
        """Run a command of the service's environment that must fail."""
        return self.fail(UV, "run", "--no-sync", *command)
