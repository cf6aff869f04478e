"""Python interpreters of other versions: installed ones, or those of Debian releases."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from harness import debian
from harness.services import UV

# The Debian release to take a version from if it is not installed.
RELEASES = {"3.13": "trixie", "3.14": "forky"}


def interpreter(version: str) -> str:
    """Return the path of an interpreter of this version."""
    if installed := find(version):
        return installed
    if version in RELEASES:
        return str(unpacked_python(version, RELEASES[version]))
    raise RuntimeError(
        f"Python {version} is not installed: run `uv python install {version}` or"
        f" `pyenv install {version}`, or leave it out with SKIP=python{version}"
    )


def find(version: str) -> str | None:
    """Return what uv finds, or None. It finds the versions of pyenv only if they are selected."""
    command = [UV, "python", "find", "--system", "--no-python-downloads", version]
    variables = os.environ | {"PYENV_VERSION": versions_of_pyenv()}
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else None


def versions_of_pyenv() -> str:
    if shutil.which("pyenv") is None:
        return ""
    listing = ["pyenv", "versions", "--bare"]
    versions = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    return ":".join(versions.split())


def unpacked_python(version: str, release: str) -> Path:
    """Return a script that is used like an interpreter, also by environments that link to it."""
    folder = debian.unpacked(f"python{version}", release)
    binaries = folder / "usr" / "bin"
    command = shlex.join(debian.loading(folder, "--argv0"))
    script = binaries / "python"
    script.write_text(f'#!/bin/sh\nexec {command} "$0" {binaries}/python{version} "$@"\n')
    script.chmod(0o755)
    return script
