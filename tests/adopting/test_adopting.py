"""A service that was written by hand adopts the template, as docs/guides/adopting.md describes."""

import json
import re
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from harness.projects import NEXT, WORK_TREE, Template, replace
from harness.rendering import COPIER, ROOT, export
from harness.services import Service
from harness.variants import Variant

HERE = Path(__file__).parent
GUIDE = (ROOT / "docs" / "guides" / "adopting.md").read_text()
[DESCRIBE_TABLES] = re.findall(r"<!-- describe_tables.py -->\n```text\n(.*?)```", GUIDE, re.DOTALL)
VARIANT = Variant("aiosqlite", "by_feature", "none", ())

LEND_BOOKS = """
from fastapi.testclient import TestClient

from app.main import app

client = TestClient(app)
for title, isbn in [("Middlemarch", "978-0-14-143954-9"), ("Emma", None), ("Ulysses", "978")]:
    assert client.post("/books", json={"title": title, "isbn": isbn}).status_code == 201
for book in (1, 1, 3):
    loan = {"borrower": "ada@example.org"}
    assert client.post(f"/books/{book}/loans", json=loan).status_code == 201
"""

SHOW_BOOKS = """
import asyncio
import json

from httpx2 import ASGITransport, AsyncClient

from app.main import app

async def show():
    async with AsyncClient(transport=ASGITransport(app), base_url="http://localhost") as client:
        print(json.dumps([(await client.get(f"/books/{number}")).json() for number in (1, 2, 3)]))

asyncio.run(show())
"""


def commands_of(step: str) -> list[str]:
    section = GUIDE.partition(f"\n## {step}\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^ *\$ (.+)$", section, re.MULTILINE)
    assert commands, f"the guide has no commands under {step!r}"
    return commands


class Library(Service):
    """The service in tests/adopting/service, in a repository and with rows in its database."""

    def __init__(self, folder: Path, running: Service, template: Template) -> None:
        self.folder = shutil.copytree(HERE / "service", folder)
        self.template = template
        programs = folder.parent / "programs"
        programs.mkdir()
        uvx = programs / "uvx"
        uvx.write_text(f'#!/bin/sh\nshift; exec {shlex.join(COPIER)} "$@"\n')
        uvx.chmod(0o755)
        self.variables = running.variables | {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{running.variables['PATH']}",
            "GIT_AUTHOR_NAME": "Owner",
            "GIT_AUTHOR_EMAIL": "owner@example.org",
            "GIT_COMMITTER_NAME": "Owner",
            "GIT_COMMITTER_EMAIL": "owner@example.org",
        }
        self.succeed("git", "init", "--quiet", "--initial-branch=main")
        self.succeed("git", "add", ".")
        self.succeed("git", "commit", "--quiet", "-m", "Lend books")
        self.succeed(sys.executable, "-W", "ignore", "-c", LEND_BOOKS)

    def follow(self, step: str, **by_hand: Callable[[str], None]) -> None:
        """Run the commands of a step of the guide, which must succeed.

        A command that contains a key of `by_hand` may fail. The function gets its output, and does
        what the guide leaves to the owner.
        """
        for command in commands_of(step):
            result = self.do(command)
            if steps := [step for word, step in by_hand.items() if word in command]:
                steps[0](result.stdout)
            else:
                assert result.returncode == 0, f"{command}\n{result.stdout}"

    def do(self, command: str) -> CompletedProcess[str]:
        """Run a command of the guide, with the answers that a person would give."""
        answers = f"--defaults --quiet --data service_name=Library {self.template.folder}"
        command = command.replace("copier copy TEMPLATE", f"copier copy {answers}")
        command = command.replace("copier update", "copier update --defaults")
        return self.run("sh", "-c", command)

    def edit(self, name: str, old: str, new: str) -> None:
        replace(self.folder, name, old, new)

    def add(self, name: str, mark: str, *lines: str) -> None:
        """Add lines below the comment for the owner's lines."""
        [line] = re.findall(f"^{mark}.*$", (self.folder / name).read_text(), re.MULTILINE)
        self.edit(name, line, "\n".join([line, *lines]))

    def changed(self) -> set[str]:
        return {line[3:] for line in self.succeed("git", "status", "--short").splitlines()}

    def migration(self, name: str) -> Path:
        [path] = (self.folder / "migrations" / "versions").glob(f"2*_{name}.py")
        return path


@pytest.fixture
def released(tmp_path: Path) -> Template:
    """The template as a repository with one release."""
    template = Template(export(tmp_path / "released"))
    template.release(WORK_TREE)
    return template


@pytest.fixture
def library(
    released: Template,
    tmp_path: Path,
    installed: Callable[[Variant], Service],
    pytestconfig: pytest.Config,
) -> Library:
    running = installed(VARIANT)
    if not pytestconfig.getoption("all"):
        running.variables["PYTEST_ADDOPTS"] = "--ignore=tests/core --cov-fail-under=0"
    return Library(tmp_path / "library", running, released)


def rows(database: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(database) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
            for table in ("books", "loans")
        }


def adopt(library: Library) -> None:
    """Do steps 1 to 7, with the manual work of the owner."""

    def keep_only_drops_of_tables(_: str) -> None:
        path = library.migration("existing_tables")
        upgrade, signature, downgrade = path.read_text().partition("def downgrade() -> None:\n")
        drops = re.findall(r"^    op.drop_table.*\n", downgrade, re.MULTILINE)
        path.write_text(upgrade + signature + "".join(drops))

    merge(library)
    (library.folder / "describe_tables.py").write_text(DESCRIBE_TABLES)
    described = {"describe_tables.py sqlite": keep_only_drops_of_tables}
    library.follow("4. Describe the existing tables", **described)
    move_code(library)
    library.follow("6. Reconcile models and tables")
    library.follow("7. Check and commit")


def merge(library: Library) -> None:
    """Do steps 1 to 3."""
    library.follow("1. Make room")
    merge_template(library, conflicts={".gitignore", "README.md"})
    shutil.copy(library.folder / ".env.example", library.folder / ".env")
    library.follow("3. Dependencies and settings")
    library.add(
        "app/settings.py", "    # Your own settings", "    loan_days: int = Field(28, ge=1)"
    )
    library.add(
        ".env.example", "# Your own settings", "# Days until a book is due.", "LOAN_DAYS=28"
    )


def merge_template(library: Library, conflicts: set[str]) -> None:
    """Do step 2."""

    def keep_both(output: str) -> None:
        found = re.findall(r"^CONFLICT \(add/add\): Merge conflict in (.+)$", output, re.MULTILINE)
        assert set(found) == conflicts
        for path in (library.folder / name for name in found):
            marker = r"^(<<<<<<<|=======|>>>>>>>).*\n"
            path.write_text(re.sub(marker, "", path.read_text(), flags=re.MULTILINE))

    library.follow("2. Merge the template", **{"check-ignore": is_empty, "git merge": keep_both})


def is_empty(output: str) -> None:
    assert output == ""


def move_code(library: Library) -> None:
    """Do step 5."""
    library.follow("5. Move the code")
    shutil.copytree(HERE / "adopted", library.folder, dirs_exist_ok=True)
    imports = [f"from app.lending.models import {name} as {name}" for name in ("Book", "Loan")]
    library.add("app/models.py", "# Your own tables", *imports)
    library.add("app/api.py", "# Your own routers", "from app.lending.routes import lending_router")
    library.add("app/api.py", "    # Your own go below", "    lending_router,")
    library.edit("app/factory.py", ', prefix="/api/v1")', ")")


# Changes of a later release, one of them in a file that the owner edited.
CHANGES = {
    "app/core/transactions.py.jinja": ("ATTEMPTS = 5\n", "ATTEMPTS = 6\n"),
    "app/settings.py.jinja": ("Field(1_000_000,", "Field(2_000_000,"),
}


def release_changes(library: Library) -> None:
    for name, (old, new) in CHANGES.items():
        library.template.replace(f"template/{name}", old, new)
    library.template.release(NEXT)


@pytest.mark.nightly
@pytest.mark.xdist_group("mypy")  # one worker fills the cache
def test_adopted_service_keeps_its_rows_files_and_history(library: Library) -> None:
    folder = library.folder
    before = rows(folder / "library.db")
    shutil.copy(folder / "library.db", folder / "production.db")
    shown = json.loads(library.succeed(sys.executable, "-W", "ignore", "-c", SHOW_BOOKS))

    adopt(library)
    assert library.changed() == set()
    assert (HERE / "service" / "README.md").read_text() in (folder / "README.md").read_text()
    for name in ("isbn.py", "models.py"):
        log = library.succeed("git", "log", "--follow", "--format=%s", f"app/lending/{name}")
        assert log.splitlines()[-1] == "Lend books"

    # The copy used during development, and production, which has no migrations yet.
    assert rows(folder / "library.db") == before
    production = {"DATABASE_URL": "sqlite:///production.db", "LOG_LEVEL": "WARNING"}
    alembic = ("uv", "run", "alembic")
    assert "already exists" in library.run(*alembic, "upgrade", "head", **production).stdout
    described = library.migration("existing_tables").name.split("_")[1]
    library.succeed(*alembic, "stamp", described, **production)
    library.succeed(*alembic, "upgrade", "head", **production)
    library.succeed(*alembic, "check", **production)
    assert rows(folder / "production.db") == before
    served = library.succeed("uv", "run", "python", "-c", SHOW_BOOKS, **production)
    assert json.loads(served) == in_utc(shown)

    library.follow("9. Updates")
    assert library.changed() == set()
    release_changes(library)
    library.follow("9. Updates")
    assert library.changed() == {
        ".copier-answers.yml",
        "app/core/transactions.py",
        "app/settings.py",
    }
    for name, (_, new) in CHANGES.items():
        assert new in (folder / name.removesuffix(".jinja")).read_text()
    library.succeed(
        "uv", "run", "pytest", "-q", "tests/test_library.py", "tests/core/test_settings.py"
    )


def in_utc(value: Any) -> Any:
    """Values with their naive times as UTC."""
    if isinstance(value, list):
        return [in_utc(item) for item in value]
    if isinstance(value, dict):
        return {name: in_utc(item) for name, item in value.items()}
    return f"{value}Z" if re.match(r"\d{4}-\d\d-\d\dT", str(value)) else value


FIRST_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "books",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("isbn", sa.String(13), unique=True),
        sa.Column("added_at", sa.DateTime, server_default=sa.func.now()),
    )
    op.create_index("ix_books_id", "books", ["id"])
    op.create_table(
        "loans",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("book_id", sa.Integer, sa.ForeignKey("books.id")),
        sa.Column("borrower", sa.String, nullable=False),
        sa.Column("due_at", sa.DateTime),
        sa.Column("returned_at", sa.DateTime),
    )
    op.create_index("ix_loans_id", "loans", ["id"])


def downgrade():
    op.drop_table("loans")
    op.drop_table("books")
"""


@pytest.mark.nightly
def test_existing_migrations_continue(library: Library) -> None:
    folder = library.folder
    before = rows(folder / "library.db")
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "migrations" / "versions" / "a1_books.py").write_text(FIRST_MIGRATION)
    (folder / "migrations" / "env.py").write_text("# Of the owner.\n")
    (folder / "alembic.ini").write_text("[alembic]\n")
    library.succeed("git", "add", ".")
    library.succeed("git", "commit", "--quiet", "-m", "Migrate")
    with sqlite3.connect(folder / "library.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('a1')")

    library.succeed("git", "mv", "migrations", "old_migrations")
    merge(library)
    library.follow("A service with migrations")
    move_code(library)
    library.follow("6. Reconcile models and tables")
    assert rows(folder / "library.db") == before
    library.succeed("uv", "run", "pytest", "-q", "tests/core/test_migrations.py")

    library.succeed("git", "add", ".")
    library.succeed("git", "commit", "--quiet", "-m", "Adopt the template")
    release_changes(library)
    library.follow("9. Updates")
    assert library.changed() == {
        ".copier-answers.yml",
        "app/core/transactions.py",
        "app/settings.py",
    }


def test_untracked_file_is_not_overwritten(released: Template, tmp_path: Path) -> None:
    library = Library(tmp_path / "library", Service(tmp_path, tmp_path / "environment"), released)
    compose = library.folder / "compose.yaml"
    compose.write_text("services: {}\n")
    library.follow("1. Make room")
    *before, ask, fetch, merge_, _, _ = commands_of("2. Merge the template")
    for command in (*before, fetch):
        library.do(command).check_returncode()
    refused = library.do(merge_)
    assert refused.returncode != 0
    assert "would be overwritten" in refused.stdout
    assert compose.read_text() == "services: {}\n"
    # Ignored files would be overwritten, so the guide lists them first.
    assert library.do(ask).stdout == ""
    (library.folder / ".gitignore").write_text("compose.yaml\n")
    assert library.do(ask).stdout == "compose.yaml\n"


def test_code_in_another_layout_moves_aside_and_ignored_files_stay_ignored(
    released: Template, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library", Service(tmp_path, tmp_path / "environment"), released)
    library.edit(".gitignore", "*.db\n", "*.db\nsecrets.json\n")
    library.succeed("git", "commit", "--quiet", "--all", "-m", "Ignore secrets")
    (library.folder / "secrets.json").write_text("{}\n")
    before = library.succeed("git", "ls-files").splitlines()
    library.follow("Another layout")
    merge_template(library, conflicts={".gitignore"})
    after = set(library.succeed("git", "ls-files").splitlines())
    assert {f"old/{name}" for name in before if name != ".gitignore"} | {"app/main.py"} <= after
    assert (library.folder / "secrets.json").exists()
    assert "secrets.json" not in after
