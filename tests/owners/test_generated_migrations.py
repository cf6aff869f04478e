"""Migrations that `--autogenerate` writes for an owner's models, on tables with rows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from harness.projects import replace
from harness.running import alembic, database
from harness.services import Service
from harness.variants import DRIVERS, FAMILIES, ONE_EACH, Variant

GENERATED = Path(__file__).with_name("generated")
SYNC_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
ERRORS = {
    "postgresql": 'column "shelf" of relation "books" contains null values',
    "mysql": "MODIFY shelf VARCHAR(10) NOT NULL",
    "sqlite": "NOT NULL constraint failed: _alembic_tmp_books.shelf",
}
CREATE = 'revision --autogenerate --rev-id 0002 -m "Books"'
CHANGE = 'revision --autogenerate --rev-id 0003 -m "Years later"'
ID = "0" * 32
ROWS = [
    f"INSERT INTO publishers VALUES ('{ID}')",
    f"INSERT INTO series VALUES ('{ID}', '{ID}')",
    "INSERT INTO books (title, genre, pages, series_id, price, data, printed_on, code)"
    f" VALUES ('Sagas', 'novel', 7, '{ID}', 9.99, '{{}}', '2030-01-02', 'A')",
    "CREATE TABLE legacy (number INTEGER)",
]
# Only PostgreSQL has schemas in a database, partitions, and extensions with tables.
POSTGRESQL_MODELS = """

class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = {"schema": "audit"}

    id: Mapped[PrimaryKey]
    book: Mapped[int] = mapped_column(ForeignKey("books.number"), index=True)


class Reading(Base):
    __tablename__ = "readings"
    __table_args__ = {"postgresql_partition_by": "RANGE (year)"}

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
"""
POSTGRESQL_ROWS = [
    "CREATE TABLE readings_2030 PARTITION OF readings FOR VALUES FROM (2030) TO (2031)",
    "CREATE TABLE spatial (number INTEGER)",
    "ALTER EXTENSION plpgsql ADD TABLE spatial",
    "CREATE SCHEMA others",
    "CREATE TABLE others.entries (number INTEGER)",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("driver", DRIVERS if metafunc.config.getoption("all") else ONE_EACH)


def test_migrations_of_an_owner_work_on_tables_with_rows(
    installed: Callable[[Variant], Service], driver: str
) -> None:
    family = FAMILIES[driver]
    service = service_with_models(installed, driver)
    with database(service) as url:
        alembic(service, url, "upgrade head", CREATE, "upgrade head", "check")
        execute(url, [*ROWS, *(POSTGRESQL_ROWS if family == "postgresql" else [])])
        write_models(service, "after", family)
        alembic(service, url, CHANGE)
        fill_shelves(service)
        alembic(service, url, "upgrade head", "check")
        row = "SELECT title, copies, binding, shelf FROM books"
        assert execute(url, [row]) == [("Sagas", 1, "hard", "A1")]
        execute(url, ["UPDATE books SET genre = 'play'"])
        with pytest.raises(DBAPIError, match="ck_books_genre"):
            execute(url, ["UPDATE books SET genre = 'song'"])


@pytest.mark.nightly
def test_migration_that_leaves_rows_without_a_value_fails_in_the_tests(
    installed: Callable[[Variant], Service], driver: str
) -> None:
    service = service_with_models(installed, driver)
    with database(service) as url:
        alembic(service, url, "upgrade head", CREATE, "upgrade head")
        write_models(service, "after", FAMILIES[driver])
        alembic(service, url, CHANGE)
    rows = ("pytest", "-q", "tests/core/test_migrations.py", "-k", "rows")
    assert ERRORS[FAMILIES[driver]] in service.uv_run_failing(*rows)
    fill_shelves(service)
    service.uv_run("pytest", "-q", "tests/core/test_migrations.py")


def service_with_models(installed: Callable[[Variant], Service], driver: str) -> Service:
    service = installed(Variant(driver, examples=()))
    models = service.folder / "app" / "models.py"
    models.write_text(f"{models.read_text()}\nfrom app.books import Book as Book\n")
    write_models(service, "before", FAMILIES[driver])
    unmanaged = "UNMANAGED: set[tuple[str, str | None]] = "
    legacy = f'{unmanaged}{{("table", "legacy")}}'
    replace(service.folder, "migrations/env.py", f"{unmanaged}set()", legacy)
    return service


def write_models(service: Service, name: str, family: str) -> None:
    source = (GENERATED / f"{name}.py").read_text()
    if family == "postgresql":
        source += POSTGRESQL_MODELS
    else:
        source = source.replace('.with_variant(postgresql.JSONB(), "postgresql")', "")
    if family == "mysql":  # MariaDB has no indexes on expressions
        source = source.replace('        Index("ix_books_search", text("lower(title)")),\n', "")
    (service.folder / "app" / "books.py").write_text(source)


def fill_shelves(service: Service) -> None:
    """Replace the comment that asks for an UPDATE."""
    [path] = (service.folder / "migrations" / "versions").glob("*0003*")
    comment = r"# Existing rows need a value of books\.shelf first: .*"
    written, count = re.subn(
        comment, "op.execute(\"UPDATE books SET shelf = 'A1'\")", path.read_text(), count=1
    )
    assert count == 1
    path.write_text(written)


def execute(url: str, statements: list[str]) -> list[tuple[object, ...]]:
    """Execute statements, and return the rows of the last one."""
    parsed = make_url(url)
    driver = SYNC_DRIVERS[parsed.get_backend_name()]
    rows: list[tuple[object, ...]] = []
    with create_engine(parsed.set(drivername=driver), poolclass=NullPool).begin() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows
