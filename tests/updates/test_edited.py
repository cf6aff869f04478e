"""Projects with edits, migrations and rows, all of which an update keeps."""

from pathlib import Path

import pytest

from harness.projects import NEXT, WORK_TREE, Project, Template, releases
from harness.running import alembic, database, run_in
from harness.services import InEnvironment
from harness.variants import Variant
from tests.updates import internals, owner, reports
from tests.updates.future_releases import (
    add_column_with_migration,
    add_setting,
    change_readme,
)


@pytest.mark.xdist_group("mypy")  # one worker fills the cache
def test_edits_and_rows_are_kept_and_the_suite_passes(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    version: str,
    lived_in: str,
    suite: list[str],
) -> None:
    variant = Variant("aiosqlite", lived_in)
    project = Project.copy(upstream, tmp_path / "project", version, **variant.answers)
    owner.edit(project, lived_in)
    if version.startswith("1."):
        reports.add(project, lived_in)
    service = in_environment(project.folder)
    with database(service) as url:
        rows = owner.settle(project, service, url)

        message = project.update()
        owner.keep_imports(project)
        assert project.conflicts() == set()
        assert owner.lost_edits(project, lived_in) == []
        owner.rename_httpx(project, message)
        if version.startswith("1."):
            reports.finish_by_hand(project)
        service.install()
        alembic(service, url, "upgrade head", "check")
        assert owner.show(service, url) == rows
    service.uv_run("mypy")
    # Not all code of this owner is tested.
    assert "passed" in service.uv_run("pytest", "-q", *suite, "--no-cov")


@pytest.mark.nightly
def test_migrations_of_owner_and_template_can_be_merged(
    own_upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    edited: str,
    sample: list[str],
) -> None:
    variant = Variant("aiosqlite", edited)
    project = Project.copy(own_upstream, tmp_path / "project", WORK_TREE, **variant.answers)
    owner.edit(project, edited)
    service = in_environment(project.folder)
    add_column_with_migration(own_upstream)
    add_setting(own_upstream)
    change_readme(own_upstream)
    own_upstream.release(NEXT)
    with database(service) as url:
        rows = owner.settle(project, service, url)

        message = project.update()
        owner.keep_imports(project)
        assert project.conflicts() == set()
        assert owner.lost_edits(project, edited) == []
        service.install()
        refused = run_in(service, url, "alembic", "upgrade", "head")
        assert "Multiple head revisions" in refused.stdout
        advice = 'uv run alembic merge heads -m "Merge"'
        assert advice in message
        assert advice in service.uv_run_failing(
            "pytest", "-q", "-k", "head", "tests/core/test_migrations.py"
        )
        alembic(service, url, "merge heads -m Merge", "upgrade head", "check")
        assert owner.show(service, url) == rows
    assert "passed" in service.uv_run("pytest", "-q", *sample)


@pytest.mark.nightly
@pytest.mark.xdist_group("mypy")
@pytest.mark.parametrize(
    ("release", "driver"),
    [("1.0.0", "asyncpg"), ("", "asyncpg"), ("", "aiomysql"), ("", "aiosqlite")],
)
def test_listeners_middleware_and_column_types_of_an_owner_work_after_an_update(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, release: str, driver: str
) -> None:
    release = release or list(releases())[-1]
    project = Project.copy(upstream, tmp_path / "project", release, driver=driver)
    internals.add(project)
    service = in_environment(project.folder)
    with database(service) as url:
        alembic(service, url, "upgrade head", "check")
        service.uv_run("pytest", "-q", "--no-cov", "tests/test_prices.py")
        project.commit()
        internals.fill(service, url)

        message = project.update()
        assert project.conflicts() == set()
        owner.rename_httpx(project, message)
        service.install()
        alembic(service, url, "upgrade head", "check")
        assert internals.show(service, url) == ["['tea: 1.50']"] * 2
    service.uv_run("ruff", "check", ".")
    service.uv_run("ruff", "format", "--check", ".")
    service.uv_run("mypy")
    assert "passed" in service.uv_run("pytest", "-q", "--no-cov")


@pytest.mark.nightly
def test_update_can_be_undone_after_its_migration_was_merged_and_run(
    own_upstream: Template, tmp_path: Path, in_environment: InEnvironment
) -> None:
    project = Project.copy(own_upstream, tmp_path / "project", WORK_TREE, structure="layered")
    owner.edit(project, "layered")
    service = in_environment(project.folder)
    add_column_with_migration(own_upstream)
    own_upstream.release(NEXT)
    with database(service) as url:
        rows = owner.settle(project, service, url)
        project.update()
        alembic(service, url, "merge heads -m Merge", "upgrade head")

        guide = (project.folder / "docs" / "updating.md").read_text()
        assert "`uv run alembic downgrade NEW@BEFORE`" in guide
        alembic(service, url, "downgrade 0002@0001")
        project.undo_update()
        assert project.changed() == set()
        alembic(service, url, "upgrade head", "check")
        assert owner.show(service, url) == rows
