"""Files that the tool writes: all of them, or none."""

from errno import ENOSPC
from os import strerror
from pathlib import Path

import pytest
from scaffolding.changes import write
from scaffolding.errors import Refused

CHANGES = {"app/models.py": b"new", "app/billing/api.py": b"new", "app/old.py": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/models.py").write_text("old")
    (tmp_path / "app/models.py").chmod(0o750)
    (tmp_path / "app/old.py").write_text("old")
    return tmp_path


def content(folder: Path) -> dict[str, str | None]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_files_are_written_with_their_mode_and_deleted(folder: Path) -> None:
    write(folder, CHANGES)
    assert content(folder) == {
        **{"app": None, "app/models.py": "new"},
        **{"app/billing": None, "app/billing/api.py": "new"},
    }
    assert (folder / "app/models.py").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", ["app", "app/models.py/x.py"])
def test_file_that_cannot_be_written_leaves_the_others_as_they_were(
    folder: Path, name: str
) -> None:
    before = content(folder)
    with pytest.raises(Refused, match=rf"^{name} cannot be written \(.*\): nothing was changed\.$"):
        write(folder, {**CHANGES, name: b"new"})
    assert content(folder) == before


def test_full_disk_leaves_all_files_as_they_were(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(folder)
    written = Path.write_bytes

    def write_the_beginning(path: Path, data: bytes) -> int:
        written(path, data[:1])
        raise OSError(ENOSPC, strerror(ENOSPC))  # without the name of the file

    def write_once(path: Path, data: bytes) -> int:
        monkeypatch.setattr(Path, "write_bytes", write_the_beginning)
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_once)
    with pytest.raises(Refused, match=r"^app/billing/api\.py cannot be written \(No space left"):
        write(folder, CHANGES)
    assert content(folder) == before
