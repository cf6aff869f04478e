"""What is refused before anything is written, and what is shown."""

import os
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.transferring import (
    BASE,
    ITEMS,
    SCRIPT,
    SYNC,
    Owned,
    execute,
    is_empty,
    lossy_types,
    on_servers,
    refused,
    run,
    transfer,
)

pytestmark = lossy_types


@pytest.fixture
def owned(tmp_path: Path) -> Owned:
    return Owned(tmp_path / "service", ITEMS)


@pytest.fixture
def pair(owned: Owned, database: Callable[[str], str]) -> tuple[str, str]:
    """A database with rows, and an empty one."""
    filled = owned.create(database("sqlite"), kinds=[{"id": 1}], items=[{"id": 1, "kind_id": 1}])
    return filled, owned.create(database("sqlite"))


def usage_error(folder: Path, *arguments: str) -> str:
    result = run(folder, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1].partition("error: ")[2]


def test_outside_of_a_service_is_an_error_that_says_where_to_run_it(tmp_path: Path) -> None:
    message = usage_error(tmp_path, "sqlite:///a.db", "sqlite:///b.db")
    assert message == "app/models.py not found; run this in the service's folder"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("oracle://me:s3cret@host/x", "must start with sqlite://, postgresql:// or mysql://"),
        ("s3cret", "must start with sqlite://, postgresql:// or mysql://"),
        (
            "mysql://me:s3cret@host:port/x",
            "the port is not a number; in a password, write %40 for @ and %3A for :",
        ),
        ("postgresql://me:s3cret@host", "has no database name; end the URL with /name"),
        ("sqlite://", "has no database name; end the URL with /name"),
        ("sqlite:///:memory:", "has no database name; end the URL with /name"),
    ],
)
def test_unusable_url_is_an_error_without_its_password(owned: Owned, url: str, reason: str) -> None:
    assert usage_error(owned.folder, "sqlite:///a.db", url) == f"argument NEW: {reason}"


def test_other_usage_errors_do_not_show_passwords(owned: Owned) -> None:
    url = "mysql://me:s3cret@host/x"
    assert usage_error(owned.folder, url, url, url).endswith("mysql://me:***@host/x")
    for size in ("0", "x", "-1"):
        message = usage_error(owned.folder, "--batch-size", size, url, url)
        assert message == "argument --batch-size: must be a positive integer"


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "mariadb"])
def test_unreachable_server_is_named_without_its_password(
    owned: Owned, pair: tuple[str, str], scheme: str
) -> None:
    message = refused(owned.folder, pair[0], f"{scheme}://me:s3cret@127.0.0.1:1/x")
    assert message.startswith("Cannot connect to the new database ")
    assert "://me:***@127.0.0.1:1/x: " in message
    assert message.endswith(". Check the URL and that the server is running.")
    assert "s3cret" not in message


@on_servers
@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("postgresql", "postgres"),
        ("postgresql", "postgresql+asyncpg"),
        ("mysql", "mysql+asyncmy"),
        ("mysql", "mariadb"),
    ],
)
def test_urls_of_services_are_accepted(
    kind: str, written: str, owned: Owned, pair: tuple[str, str], database: Callable[[str], str]
) -> None:
    target = owned.create(database(kind))
    query = "?ssl=prefer" if "asyncpg" in written else ""
    transfer(
        owned.folder,
        pair[0].replace("sqlite", "sqlite+aiosqlite"),
        target.replace(kind, written, 1) + query,
    )
    assert owned.rows(target) == owned.rows(pair[0])


def test_missing_file_is_an_error_and_not_created(owned: Owned, pair: tuple[str, str]) -> None:
    message = refused(owned.folder, "sqlite:///none.db", pair[1])
    assert message == "The old database sqlite:///none.db does not exist. Correct its URL."
    message = refused(owned.folder, pair[0], "sqlite:///none.db")
    assert message.endswith("none.db does not exist. Create it with `uv run alembic upgrade head`.")
    assert not (owned.folder / "none.db").exists()


@on_servers
@pytest.mark.parametrize("kind", SYNC)
def test_same_database_under_another_url_is_refused(
    kind: str, owned: Owned, database: Callable[[str], str], tmp_path: Path
) -> None:
    url = owned.create(database(kind))
    if kind == "sqlite":
        (tmp_path / "link").symlink_to(tmp_path)
        other = url.replace(f"{tmp_path}/", f"{tmp_path}/link/")
    else:
        other = url.replace("127.0.0.1", "localhost")
    message = refused(owned.folder, url, other)
    assert message == "Both URLs refer to the same database. Correct one of them."


def test_database_without_all_migrations_is_refused(owned: Owned, pair: tuple[str, str]) -> None:
    old, new = pair
    execute(new, "DROP TABLE items")
    execute(new, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, kind_id INTEGER)")
    execute(new, "DROP TABLE kinds")
    assert refused(owned.folder, old, new) == (
        "The new database is missing the table kinds, the column items.size. Run"
        " `uv run alembic upgrade head` with its URL in DATABASE_URL."
    )
    assert refused(owned.folder, new, old) == (
        "The old database is missing the table kinds, the column items.size. Run"
        " `uv run alembic upgrade head` for it, with the service as it was before the switch."
    )


def test_databases_at_different_migrations_are_refused(owned: Owned, pair: tuple[str, str]) -> None:
    for url, version in zip(pair, ("0001", "0002"), strict=True):
        execute(url, "CREATE TABLE alembic_version (version_num TEXT)")
        execute(url, f"INSERT INTO alembic_version VALUES ('{version}')")
    assert refused(owned.folder, *pair) == (
        "The old database is at revision 0001, the new one at 0002. Run"
        " `uv run alembic upgrade head` for both. For the old one, use the service as it was"
        " before the switch."
    )
    execute(pair[1], "UPDATE alembic_version SET version_num = '0001'")
    transfer(owned.folder, *pair)


def test_database_with_rows_is_refused(owned: Owned, pair: tuple[str, str]) -> None:
    execute(pair[1], owned.tables["kinds"].insert(), [{"id": 7}, {"id": 8}])
    before = owned.rows(pair[1])
    message = refused(owned.folder, *pair)
    assert message.startswith(
        f"The new database {pair[1]} is not empty: kinds (2 rows). If these are"
    )
    assert owned.rows(pair[1]) == before


def test_swapped_urls_are_recognized(owned: Owned, pair: tuple[str, str]) -> None:
    old, new = pair
    before = owned.rows(old)
    assert refused(owned.folder, new, old) == (
        f"The old database {new} is empty, but the new database {old} is not: kinds (1 row), items"
        " (1 row). Swap the URLs: the first one is the old database."
    )
    assert owned.rows(old) == before


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            "import not_there.at_all",
            "app.models needs the module not_there, which is not installed. Add its package to the"
            " service.",
        ),
        (
            "import app.not_there",
            "Cannot import app.models: No module named 'app.not_there'. Fix this error first.",
        ),
        ("x = 1", "Cannot import app.models: AttributeError: module 'app.models' has no attribute"),
        ("1 / 0", "Cannot import app.models: ZeroDivisionError: division by zero. Fix this error"),
    ],
)
def test_models_that_cannot_be_imported_are_named(
    owned: Owned, pair: tuple[str, str], models: str, message: str
) -> None:
    (owned.folder / "app" / "models.py").write_text(models)
    assert refused(owned.folder, *pair).startswith(message)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            """
Table("a", Base.metadata, Column("id", Integer, primary_key=True),
      Column("b_id", ForeignKey("b.id"), nullable=False))
Table("b", Base.metadata, Column("id", Integer, primary_key=True),
      Column("a_id", ForeignKey("a.id"), nullable=False))
""",
            "NOT NULL foreign keys form a cycle in a, b, so no row can be inserted first. Make one"
            " of them nullable, with a migration of both databases.",
        ),
        (
            """
Table("a", Base.metadata, Column("id", Integer, primary_key=True),
      Column("a_id", ForeignKey("a.id"), nullable=False))
""",
            "NOT NULL foreign keys form a cycle in a, so no row can be inserted first. Make one"
            " of them nullable, with a migration of both databases.",
        ),
        (
            """
Table("a", Base.metadata, Column("id", Integer, unique=True), Column("a_id", ForeignKey("a.id")))
""",
            "The table a references rows that are inserted later, but it has no primary key. Add"
            " one, with a migration of both databases.",
        ),
    ],
)
def test_cycle_of_required_foreign_keys_is_refused(
    tables: str, message: str, tmp_path: Path, database: Callable[[str], str]
) -> None:
    owned = Owned(tmp_path / "cycle", BASE + tables)
    assert refused(owned.folder, database("sqlite"), database("sqlite")) == message


def test_tables_and_columns_without_a_model_are_named_and_not_copied(
    owned: Owned, pair: tuple[str, str]
) -> None:
    execute(pair[0], "CREATE TABLE legacy (id INTEGER)")
    execute(pair[0], "ALTER TABLE items ADD COLUMN colour TEXT")
    result = run(owned.folder, *pair)
    assert result.returncode == 0
    assert result.stderr == (
        "Not copied, because app.models does not define it: the column items.colour, the table"
        " legacy.\n"
    )


def test_dry_run_checks_and_counts_without_writing(owned: Owned, pair: tuple[str, str]) -> None:
    output = transfer(owned.folder, "--dry-run", *pair)
    assert output.splitlines() == [
        "kinds: 1 row",
        "items: 1 row",
        "All checks passed. Nothing was written. Now run this without --dry-run.",
    ]
    assert is_empty(owned, pair[1])
    execute(pair[1], "DROP TABLE items")
    assert "is missing the table items" in refused(owned.folder, "--dry-run", *pair)


def test_progress_is_shown_only_on_a_terminal(owned: Owned, pair: tuple[str, str]) -> None:
    assert run(owned.folder, "--dry-run", *pair).stderr == ""
    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    command = [sys.executable, str(SCRIPT), *pair]
    subprocess.run(command, cwd=owned.folder, stderr=terminal, stdout=subprocess.PIPE, check=True)
    shown = os.read(controller, 100_000).decode()
    os.close(controller)
    os.close(terminal)
    assert "Copying kinds: " in shown
    assert "100%" in shown
    assert "4.00/4.00" in shown


def test_old_database_is_not_written_to(owned: Owned, pair: tuple[str, str]) -> None:
    file = Path(pair[0].removeprefix("sqlite:///"))
    before = file.read_bytes()
    transfer(owned.folder, *pair)
    assert file.read_bytes() == before


def test_help_has_an_example_and_the_exit_statuses(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")
    assert result.returncode == 0
    assert "uv run $TOOL sqlite:///my_service.db" in result.stdout
    assert "Exit status: 0 if all rows were copied, 1 if" in result.stdout
