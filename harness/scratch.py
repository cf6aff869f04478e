"""A pytest plugin that keeps the temporary files of a run in memory, where there is enough of it.

Services, repositories and databases are thousands of small files that are deleted again: on a disk,
they cost a fifth of the CPU time of a run.
"""

import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

MEMORY = Path("/dev/shm")
NEEDED = 8 * 1024**3  # bytes: four times what a run of three processes uses
PREFIX = "copier-fastapi-async-"


def has_room() -> bool:
    """Whether there is a file system in memory, large enough, on which programs can be run."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return free >= NEEDED


def delete_abandoned() -> None:
    """Delete the folders of runs that were killed."""
    for folder in MEMORY.glob(f"{PREFIX}*"):
        if not psutil.pid_exists(int(folder.name.removeprefix(PREFIX))):
            shutil.rmtree(folder, ignore_errors=True)


class Scratch:
    """Sets TMPDIR for this process and all others of the run, unless it is set."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if "TMPDIR" in os.environ:  # also in the processes of pytest-xdist
            return
        delete_abandoned()
        if has_room():
            self.folder = MEMORY / f"{PREFIX}{os.getpid()}"
            self.folder.mkdir(mode=0o755)  # PostgreSQL runs as another user
            os.environ["TMPDIR"] = tempfile.tempdir = str(self.folder)

    def pytest_unconfigure(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
