"""Programs of other Debian releases, unpacked into a folder and run from there.

Nothing is installed: a program is started with the loader and the libraries of its own release.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.rendering import ROOT
from harness.servers import IS_ROOT

# Kept between runs. Delete a folder in it to get newer packages.
RELEASES = (ROOT / ".venv").resolve() / "roots"
SECONDS_TO_UNPACK = 600


def unpacked(package: str, release: str) -> Path:
    """Return a folder with packages of a Debian release, and all that they depend on."""
    return kept(f"{release}-{package}", lambda folder: unpack(package, release, folder))


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder or file with this name in `RELEASES`, which is made if it is missing."""
    path = RELEASES / name
    if not path.exists():
        RELEASES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=RELEASES) as unfinished:
            made = Path(unfinished, name)
            make(made)
            made.rename(path)
    return path


def unpack(package: str, release: str, folder: Path) -> None:
    command = [
        mmdebstrap(),
        "--variant=extract",
        *(["--mode=chrootless"] * (not IS_ROOT)),
        f"--include={package}",
        # Copies of the archive are often older than their index allows.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        release,
        str(folder),
        archive(),
    ]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS_TO_UNPACK, check=False
    )
    if result.returncode:
        raise RuntimeError(
            f"{package} of Debian {release} could not be unpacked; try it on a Debian machine:"
            f" {' '.join(command)}\n{result.stderr}"
        )


def mmdebstrap() -> str:
    """Return the path of mmdebstrap, which is installed first if this process may do that."""
    if IS_ROOT and shutil.which("apt-get") and not shutil.which("mmdebstrap"):
        subprocess.run(
            "apt-get update && apt-get install --yes --no-install-recommends mmdebstrap",
            shell=True,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            check=False,
        )
    program = shutil.which("mmdebstrap")
    if program is None:
        raise RuntimeError("mmdebstrap is not installed: sudo apt-get install mmdebstrap")
    return program


def archive() -> str:
    """Return the address of the archive that apt is configured to use."""
    listing = ["apt-get", "indextargets", "--format", "$(SITE)"]
    sites = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    if not sites:
        raise RuntimeError("apt has no package lists: sudo apt-get update")
    return sites[0]


def linked(folder: Path, names: Sequence[str], programs: Path) -> Path:
    """Write scripts into `programs` that start programs of an unpacked release by their names."""
    programs.mkdir()
    for name in names:
        [program] = folder.glob(f"usr/*bin/{name}")
        command = shlex.join([*loading(folder), str(program)])
        script = programs / name
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
    return programs


def loading(folder: Path, *options: str) -> list[str]:
    """Return the command that runs a program of an unpacked release, which has to follow."""
    (loader,) = folder.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*")
    return [str(loader), "--library-path", str(loader.parent), *options]
