"""Updates that change the database of a service, with edits and rows."""

import sys
from pathlib import Path

import pytest

from harness.projects import Project, Template
from harness.rendering import ROOT
from harness.running import alembic, database, run_in, serving
from harness.services import InEnvironment
from harness.variants import Variant
from tests.updates import owner

TRANSFER = ROOT / "tools" / "transfer.py"


@pytest.mark.nightly
def test_edits_and_rows_move_to_the_new_database(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    switched: tuple[str, str],
    sample: list[str],
) -> None:
    old, new = switched
    before = Variant(old)
    project = Project.copy(upstream, tmp_path / "project", "2.0.0", **before.answers)
    owner.edit(project, "flat")
    service = in_environment(project.folder)
    with database(service) as old_url:
        rows = owner.settle(project, service, old_url)

        message = project.update(driver=new)
        assert "DATABASE_URL in .env" in message
        owner.keep_imports(project)
        assert project.conflicts() == set()
        assert owner.lost_edits(project, "flat") == []
        owner.rename_httpx(project, message)
        # A server that still runs needs its environment; SQLite has none.
        service = in_environment(project.folder, "" if old == "aiosqlite" else "-switched")
        with database(service) as new_url:
            alembic(service, new_url, "upgrade head", "check")
            # This environment has the requirements of the tool.
            service.succeed(sys.executable, str(TRANSFER), old_url, new_url)
            assert owner.show(service, new_url) == rows
            with serving(service, new_url) as running:
                assert running.call("GET", "/api/v1/labels") == ["urgent"]
                assert len(running.call("GET", "/api/v1/projects")["items"]) == 2
            # The new driver rejects the old URL.
            assert (
                "DATABASE_URL must start with"
                in run_in(service, old_url, "alembic", "current").stdout
            )
    assert "passed" in service.uv_run("pytest", "-q", *sample)
