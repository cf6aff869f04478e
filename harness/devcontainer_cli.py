"""The Dev Container CLI, an npm package, which is installed into a folder."""

import shutil
import subprocess
from pathlib import Path

from harness import debian

VERSION = "0.89.0"


def program() -> str:
    """Return the path of the program `devcontainer`."""
    folder = debian.kept(f"devcontainer-cli-{VERSION}", install)
    return str(folder / "node_modules" / ".bin" / "devcontainer")


def install(folder: Path) -> None:
    if shutil.which("npm") is None:
        raise RuntimeError("npm is not installed: sudo apt-get install npm")
    command = ["npm", "install", "--silent", "--prefix", str(folder)]
    subprocess.run([*command, f"@devcontainers/cli@{VERSION}"], check=True, timeout=600)
