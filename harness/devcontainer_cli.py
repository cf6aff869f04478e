"""The Dev Container CLI, an npm package, which is installed into a folder."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import debian

VERSION = "0.89.0"
FOLDER = debian.RELEASES / f"devcontainer-cli-{VERSION}"


def program() -> str:
    """Return the path of the program `devcontainer`."""
    if not FOLDER.exists():
        if shutil.which("npm") is None:
            raise RuntimeError("npm is not installed: sudo apt-get install npm")
        debian.RELEASES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=debian.RELEASES) as unfinished:
            made = Path(unfinished, "cli")
            command = ["npm", "install", "--silent", "--prefix", str(made)]
            subprocess.run([*command, f"@devcontainers/cli@{VERSION}"], check=True, timeout=600)
            made.rename(FOLDER)
    return str(FOLDER / "node_modules" / ".bin" / "devcontainer")
