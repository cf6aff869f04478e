"""An owner's own models, keys and constraints, on each database."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, text

from harness.projects import replace
from harness.running import alembic, database
from harness.services import Service
from harness.variants import DRIVERS, FAMILIES, ONE_EACH, Variant

ADDED = Path(__file__).with_name("added")
CONCURRENT = "tests/core/test_migrations.py::test_replicas_migrate_concurrently"
FAILING = Path(__file__).with_name("failing") / "test_failing.py"
MODELS = {
    "archive": ["Keeper", "Language", "Room"],
    "library": ["Book", "Child", "Copy", "Country", "Librarian", "Loan", "Reader", "Sample"],
}
TABLES = "# Your own tables go below this line: what updates add comes above it.\n"
ENDPOINTS = "# Your own endpoints go below this line: what updates add comes above it.\n"
ROUTERS = "    # Your own go below this line.\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    first, *others = DRIVERS if metafunc.config.getoption("all") else ONE_EACH
    # The worker that fills the cache of mypy.
    with_mypy = pytest.param(first, marks=pytest.mark.xdist_group("mypy"))
    metafunc.parametrize("driver", [with_mypy, *others])


def test_models_of_an_owner_work(
    installed: Callable[[Variant], Service], driver: str, request: pytest.FixtureRequest
) -> None:
    service = installed(Variant(driver, examples=()))
    add_models(service)
    with database(service) as url:
        alembic(service, url, "upgrade head", "revision --autogenerate -m Library", "upgrade head")
        if FAMILIES[driver] == "mysql":
            migrate_columns_of_2_1(service, url)
    service.uv_run("ruff", "check", *(f"app/{name}.py" for name in MODELS))
    if driver == ONE_EACH[0]:
        service.uv_run("mypy", "app")
    own = [f"tests/test_{name}.py" for name in ("archive", "client", "constraints", "library")]
    # The migrations of the owner run sequentially here: tests/faults runs them concurrently.
    migrations = ("tests/core/test_migrations.py", f"--deselect={CONCURRENT}")
    service.uv_run("pytest", "-q", *own, *migrations)
    if driver == ONE_EACH[1] or request.config.getoption("all"):
        shutil.copy(FAILING, service.folder / "tests")
        failed = service.uv_run_failing("pytest", "-q", "--tb=no", "tests/test_failing.py")
        assert "1 failed, 8 passed, 4 errors" in failed, failed
        assert "test_passes" not in failed


def add_models(service: Service) -> None:
    shutil.copytree(ADDED, service.folder, dirs_exist_ok=True)
    imports = "".join(
        f"from app.{module} import {', '.join(f'{name} as {name}' for name in names)}\n"
        for module, names in MODELS.items()
    )
    replace(service.folder, "app/models.py", TABLES, TABLES + imports)
    replace(service.folder, "app/api.py", ROUTERS, f"{ROUTERS}    library_router,\n")
    replace(
        service.folder,
        "app/api.py",
        f"\n{ENDPOINTS}",
        f"\nfrom app.library import library_router\n\n{ENDPOINTS}",
    )


def migrate_columns_of_2_1(service: Service, url: str) -> None:
    """Give the table columns as 2.1.0 created them; a migration makes them precise."""
    engine = create_engine(f"mysql+pymysql://{url.partition('://')[2]}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE samples MODIFY lasts DATETIME, MODIFY opens_at TIME"))
        connection.execute(text("INSERT INTO samples (lasts) VALUES ('1970-01-02 00:00:01')"))
    alembic(service, url, "revision --autogenerate -m Precise", "upgrade head", "check")
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT lasts FROM samples")) == datetime(1970, 1, 2, 0, 0, 1)
        columns = inspect(connection).get_columns("samples")
    precision = {column["name"]: getattr(column["type"], "fsp", None) for column in columns}
    assert (precision["lasts"], precision["opens_at"]) == (6, 6)
    [migration] = service.folder.glob("migrations/versions/*_precise.py")
    assert migration.read_text().count("op.alter_column(") == 4
