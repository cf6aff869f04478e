"""A service as its owner uses it: documented commands, and mistakes that the checks detect."""

import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.projects import replace, write_migration
from harness.services import Service
from harness.variants import Variant

ROOT = Path(__file__).parent.parent
DEFAULT = Variant("aiosqlite", "flat", "none")

pytestmark = pytest.mark.xdist_group("mypy")  # one worker fills the cache


@pytest.fixture
def service(installed: Callable[[Variant], Service]) -> Service:
    """The default variant in a repository, as `_message_after_copy` recommends."""
    service = installed(DEFAULT)
    service.succeed("git", "init", "--quiet")
    service.succeed("git", "add", ".")
    service.succeed(
        *("git", "-c", "user.name=Test", "-c", "user.email=test@example.org"),
        *("commit", "--quiet", "-m", "Start"),
    )
    return service


def edit(service: Service, name: str, old: str, new: str) -> None:
    replace(service.folder, name, old, new)


PRE_COMMIT = ("pre-commit", "run", "--all-files")  # followed by the name of a hook to run only that


def test_demo_shows_a_working_service(tmp_path: Path) -> None:
    output = succeed(sys.executable, "-m", "scripts.demo", str(tmp_path), cwd=ROOT)
    assert '"by_status"' in output
    assert str(tmp_path / "stock") in output


def test_secrets_are_not_committed(service: Service) -> None:
    tracked = service.succeed("git", "ls-files").split()
    assert ".env.example" in tracked
    assert "uv.lock" in tracked
    assert ".env" not in tracked


@pytest.mark.nightly
def test_suite_passes_in_parallel(service: Service, pytestconfig: pytest.Config) -> None:
    options = [] if pytestconfig.getoption("all") else ["--ignore=tests/core"]
    assert re.search(r"\d+ passed", service.uv_run("pytest", "-q", "-n", "2", *options))


PLANTED = """
async def take(lock, items):
    async with lock:
        if not items:
            raise LookupError


def unused():
    raise NotImplementedError
"""
TEST_OF_PLANTED = """
import asyncio

import pytest

from app.planted import take


async def test_items_are_taken():
    await take(asyncio.Lock(), [1])
    with pytest.raises(LookupError):
        await take(asyncio.Lock(), [])
"""


@pytest.mark.nightly
def test_coverage_counts_lines_on_python_3_11(service: Service) -> None:
    """There, this branch at the end of an `async with` would be reported as missed."""
    workflow = (service.folder / ".github" / "workflows" / "ci.yml").read_text()
    assert "--cov ${{ matrix.python != '3.11' && '--cov-branch' || '' }}" in workflow
    (service.folder / "tests" / "test_planted.py").write_text(TEST_OF_PLANTED)
    gate = ("pytest", "-q", "tests/test_planted.py", "--cov=app.planted")
    planted = service.folder / "app" / "planted.py"
    planted.write_text(PLANTED.partition("\n\n\n")[0] + "\n")
    assert "Required test coverage of 100.0% reached" in service.uv_run(*gate)
    planted.write_text(PLANTED)
    assert re.search(r"planted\.py .* 9$", service.uv_run_failing(*gate), re.MULTILINE)


def test_unformatted_file_is_caught(service: Service) -> None:
    edit(service, "app/core/health.py", "class Health(BaseModel):", "class Health( BaseModel ):")
    output = service.uv_run_failing(*PRE_COMMIT, "ruff-format")
    assert re.search(r"ruff format\.+Failed", output)


def test_wrong_type_is_caught(service: Service) -> None:
    edit(service, "app/core/health.py", 'status: str = "ok"', 'status: int = "ok"')
    output = service.uv_run_failing(*PRE_COMMIT, "mypy")
    assert re.search(r"mypy\.+Failed", output)


@pytest.mark.parametrize("marker", ["<<<<<<< before updating", ">>>>>>> after updating"])
def test_conflict_marker_is_caught(service: Service, marker: str) -> None:
    edit(service, "README.md", "## Test", f"{marker}\n\n## Test")
    output = service.uv_run_failing(*PRE_COMMIT, "conflict-markers")
    assert re.search(r"no conflict markers[^.]*\.+Failed", output)


def test_rejected_hunk_is_caught(service: Service) -> None:
    (service.folder / "README.md.rej").write_text("a hunk\n")
    service.succeed("git", "add", "README.md.rej")
    output = service.uv_run_failing(*PRE_COMMIT, "rejected-hunks")
    assert re.search(r"no rejected hunks[^.]*\.+Failed", output)


def test_lazy_load_fails_the_suite(service: Service) -> None:
    edit(service, "app/services.py", "for task in page.items", "for task in project.tasks")
    output = service.uv_run_failing("pytest", "-q", "-x", "tests/test_projects.py")
    assert "lazy='raise'" in output


def test_model_without_a_migration_fails_the_suite(service: Service) -> None:
    add_column(service)
    output = service.uv_run_failing("pytest", "-q", "-k", "match", "tests/core/test_migrations.py")
    assert "test_migrations_match_the_models" in output


def test_generated_migration_makes_the_suite_pass_again(service: Service) -> None:
    add_column(service)
    service.uv_run("alembic", "upgrade", "head")
    service.uv_run("alembic", "revision", "--autogenerate", "-m", "When a task began")
    service.uv_run("alembic", "upgrade", "head")
    service.uv_run("alembic", "check")
    service.succeed("git", "add", ".")
    service.uv_run(*PRE_COMMIT)
    tests = ["tests/core/test_migrations.py", "tests/test_tasks.py"]
    service.uv_run("pytest", "-q", "-k", "not concurrently", *tests)
    [migration] = (service.folder / "migrations" / "versions").glob("2*_when_a_task_began.py")
    assert "from app.core.models import UTCDateTime" in migration.read_text()


def test_empty_migration_has_the_imports_that_its_author_needs(service: Service) -> None:
    service.uv_run("alembic", "upgrade", "head")
    service.uv_run("alembic", "revision", "-m", "Seed")
    [migration] = (service.folder / "migrations" / "versions").glob("2*_seed.py")
    seed = 'op.bulk_insert(sa.table("projects"), [])'
    migration.write_text(migration.read_text().replace("    pass", f"    {seed}"))
    service.uv_run("alembic", "upgrade", "head")
    service.uv_run("alembic", "downgrade", "-1")
    service.succeed("git", "add", ".")
    service.uv_run(*PRE_COMMIT)


def add_column(service: Service) -> None:
    edit(
        service,
        "app/models.py",
        "    due_at: Mapped[datetime | None]\n",
        "    due_at: Mapped[datetime | None]\n    began_at: Mapped[datetime | None]\n",
    )


def test_migration_that_fails_leaves_nothing_behind(service: Service) -> None:
    halves = "op.create_table('halves', sa.Column('id', sa.Integer()))\n    1 / 0"
    write_migration(service.folder, "0002_by_hand.py", halves)
    output = service.uv_run_failing("alembic", "upgrade", "head")
    assert "ZeroDivisionError" in output
    assert "0001" not in service.uv_run(
        "alembic", "current"
    )  # the migration before it is rolled back too
    with sqlite3.connect(service.folder / "my_service.db") as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_index_of_an_autocommit_block_is_rolled_back_with_the_migration_that_follows(
    service: Service,
) -> None:
    """Otherwise, the next attempt would create an index that exists."""
    concurrently = (
        "with op.get_context().autocommit_block():\n"
        "        op.create_index('ix_by_hand', 'projects', ['description'])"
    )
    write_migration(service.folder, "0002_index.py", concurrently)
    failing = write_migration(
        service.folder, "0003_by_hand.py", "1 / 0", revision="0003", follows="0002"
    )
    assert "ZeroDivisionError" in service.uv_run_failing("alembic", "upgrade", "head")
    failing.write_text(failing.read_text().replace("1 / 0", "pass"))
    service.uv_run("alembic", "upgrade", "head")
    with sqlite3.connect(service.folder / "my_service.db") as database:
        indexes = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'ix_by_hand'")
        assert indexes.fetchall() == [(1,)]


def test_migration_that_copies_a_table_keeps_the_rows_that_refer_to_it(service: Service) -> None:
    service.uv_run("alembic", "upgrade", "head")
    with sqlite3.connect(service.folder / "my_service.db") as database:
        database.execute("INSERT INTO projects VALUES ('01', 'Garden', '', '2026', '2026', 1)")
        database.execute(
            "INSERT INTO tasks VALUES ('02', '01', 'Dig', 'todo', 1, NULL, '2026', '2026', 1)"
        )
    write_migration(
        service.folder,
        "0002_by_hand.py",
        "with op.batch_alter_table('projects') as table:\n"
        "        table.alter_column('name', type_=sa.String(120))",
    )
    service.uv_run("alembic", "upgrade", "head")
    with sqlite3.connect(service.folder / "my_service.db") as database:
        assert database.execute("SELECT title FROM tasks").fetchall() == [("Dig",)]
