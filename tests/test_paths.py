"""Services, temporary files and database servers in a folder with a space and an apostrophe."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.servers import Server, running
from harness.services import Service
from harness.variants import FAMILIES, Variant

pytestmark = pytest.mark.nightly


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not in pytest's folder, which is closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="my service's ") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("driver", FAMILIES)
def test_suite_passes_in_a_folder_with_a_space_and_an_apostrophe(
    rendered: Callable[[Variant], Path], folder: Path, driver: str
) -> None:
    (folder / "temporary").mkdir()
    copied = shutil.copytree(rendered(Variant(driver)), folder / "service")
    service = Service(copied, Path(sys.prefix))
    tests = ("tests/test_projects.py", "tests/core/test_migrations.py")
    command = (sys.executable, "-m", "pytest", "-q", *tests)
    Server.created += FAMILIES[driver] != "sqlite"
    output = service.succeed(*command, TMPDIR=str(folder / "temporary"))
    assert " passed" in output


@pytest.mark.parametrize("family", ["postgresql", "mysql"])
def test_server_of_the_harness_starts_in_a_folder_with_a_space_and_an_apostrophe(
    kinds: dict[str, type[Server]], folder: Path, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with running(kinds[family]) as server:
        server.create_database("created")
