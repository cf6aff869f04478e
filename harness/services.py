"""Running a rendered service's own commands, in its own environment."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

UV = str(Path(sys.executable).parent / "uv")
SECONDS_PER_COMMAND = 600


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

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the service's folder; the output is in `stdout`.

        A command that does not end is killed, with all that it started, and fails.
        """
        # A file: the end of a pipe would come only when the last process left behind is gone.
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
                output.write(f"\nKilled: it did not end within {SECONDS_PER_COMMAND} s")
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
        """Run a command of the service's environment that must succeed."""
        return self.succeed(UV, "run", "--no-sync", *command)

    def uv_run_failing(self, *command: str) -> str:
        """Run a command of the service's environment that must fail."""
        return self.fail(UV, "run", "--no-sync", *command)
