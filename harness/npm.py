"""Packages of npm, which are installed into a folder that is kept."""

import shutil
import subprocess
from pathlib import Path

from harness import debian


def installed(name: str, *packages: str, scripts: bool = False) -> Path:
    """Return the folder `node_modules` with these packages; `scripts` lets them run theirs."""

    def install(folder: Path) -> None:
        if shutil.which("npm") is None:
            raise RuntimeError("npm is not installed: sudo apt-get install npm")
        options = ["--silent", "--prefix", str(folder), *(["--ignore-scripts"] * (not scripts))]
        subprocess.run(["npm", "install", *options, *packages], check=True, timeout=600)

    return debian.kept(name, install) / "node_modules"
