"""Run the tool, and look into the databases that it reads and writes."""

import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from harness.rendering import ROOT

SCRIPT = ROOT / "tools" / "transfer.py"
SYNC = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
# The settings of services, except that a key may be 0.
SESSION = {
    "sqlite": "PRAGMA foreign_keys = OFF",
    "postgresql": "SET timezone = 'UTC'",
    "mysql": "SET sql_mode = 'TRADITIONAL,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
}
SECONDS = 120
# Byte code is cached, and the tool is not started by uv.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "UV"} | {"PYTHONDONTWRITEBYTECODE": ""}
# SQLAlchemy warns about types that lose precision on SQLite, which these tests examine.
lossy_types = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
on_servers = pytest.mark.xdist_group("transfer")
# The long tests run on another worker, with servers of their own.
long_on_servers = pytest.mark.xdist_group("transfer_long")

BASE = """\
import enum
from datetime import UTC, datetime

from sqlalchemy import *
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass

"""

ITEMS = (
    BASE
    + """
Table(
    "items",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), unique=True),
    Column("size", Integer, CheckConstraint("size < 100")),
    Column("kind_id", ForeignKey("kinds.id")),
)
Table("kinds", Base.metadata, Column("id", Integer, primary_key=True))
"""
)


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the tool in the folder of a service. It must not print a traceback."""
    result = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


def transfer(folder: Path, *arguments: str) -> str:
    """Run the tool, which must succeed; returns its output."""
    result = run(folder, *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def refused(folder: Path, *arguments: str) -> str:
    """Run the tool, which must refuse; returns its message."""
    result = run(folder, *arguments)
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    return result.stderr.strip()


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def engine(url: str) -> sa.Engine:
    kind, _, rest = url.partition("://")
    made = sa.create_engine(f"{SYNC[kind]}://{rest}", poolclass=sa.NullPool)

    @sa.event.listens_for(made, "connect")
    def set_session(connection: Any, _: object) -> None:
        connection.cursor().execute(SESSION[kind])
        connection.commit()

    return made


def execute(url: str, statement: Any, values: Any = None) -> list[Any]:
    statement = sa.text(statement) if isinstance(statement, str) else statement
    with engine(url).begin() as connection:
        result = connection.execute(statement, values)
        return list(result) if result.returns_rows else []


class Owned:
    """A folder with models of an owner, and databases with their tables."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder = folder
        (folder / "app").mkdir(parents=True)
        (folder / "app" / "models.py").write_text(models)
        self.models = load(folder)
        self.tables = self.models.Base.metadata.tables

    def create(self, url: str, **rows: list[dict[str, Any]]) -> str:
        self.models.Base.metadata.create_all(engine(url))
        for name, values in rows.items():
            execute(url, self.tables[name].insert(), values)
        return url

    def rows(self, url: str) -> dict[str, list[tuple[Any, ...]]]:
        return rows(self.models.Base.metadata, url)


def load(folder: Path) -> ModuleType:
    """The module `app.models` of a service, imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("app.models")
    finally:
        sys.path.remove(str(folder))


def rows(metadata: sa.MetaData, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with engine(url).connect() as connection:
        return {
            name: sorted(
                (tuple(map(naive_utc, row)) for row in connection.execute(table.select())), key=repr
            )
            for name, table in metadata.tables.items()
        }


def naive_utc(value: Any) -> Any:
    """A datetime without its timezone, which only PostgreSQL and some column types return."""
    is_aware = isinstance(value, datetime) and value.tzinfo
    return value.astimezone(UTC).replace(tzinfo=None) if is_aware else value


def is_empty(owned: Owned, url: str) -> bool:
    return not any(owned.rows(url).values())
