"""The folder in memory for the temporary files of a run."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import scratch
from harness.scratch import PREFIX, Scratch


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.setenv("TMPDIR", "")  # so that it is as before after the test
    monkeypatch.delenv("TMPDIR")


def test_temporary_files_are_in_memory_and_deleted_after_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "NEEDED", 0)
    plugin = Scratch()
    plugin.pytest_sessionstart()
    [folder] = tmp_path.iterdir()
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(folder)
    plugin.pytest_unconfigure()
    assert not folder.exists()


def test_little_memory_and_a_folder_that_was_chosen_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "NEEDED", 2**63)
    Scratch().pytest_sessionstart()
    monkeypatch.setattr(scratch, "NEEDED", 0)
    monkeypatch.setenv("TMPDIR", "/chosen")
    Scratch().pytest_sessionstart()
    assert os.environ["TMPDIR"] == "/chosen"
    assert list(tmp_path.iterdir()) == []


def test_folders_of_killed_runs_are_deleted(tmp_path: Path) -> None:
    ended = subprocess.Popen((sys.executable, "-c", ""))
    ended.wait()
    for process in (ended.pid, os.getpid()):
        (tmp_path / f"{PREFIX}{process}").mkdir()
    scratch.delete_abandoned()
    assert [folder.name for folder in tmp_path.iterdir()] == [f"{PREFIX}{os.getpid()}"]
