"""Running commands that must succeed."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def succeed(
    *command: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **options: Any,
) -> str:
    """Run a command that must succeed, and return its output with that to standard error."""
    result: subprocess.CompletedProcess[str] = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}"
    return result.stdout
