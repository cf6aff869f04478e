"""An owner's own models, keys and constraints, on each database."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.projects import replace
from harness.running import alembic, database
from harness.services import Service
from harness.variants import DRIVERS, ONE_EACH, Variant

ADDED = Path(__file__).with_name("added")
TABLES = "# Your own tables go below this line: what updates add comes above it.\n"
ENDPOINTS = "# Your own endpoints go below this line: what updates add comes above it.\n"
ROUTERS = "    # Your own go below this line.\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("driver", DRIVERS if metafunc.config.getoption("all") else ONE_EACH)


def test_models_of_an_owner_work(installed: Callable[[Variant], Service], driver: str) -> None:
    service = installed(Variant(driver, examples=()))
    shutil.copytree(ADDED, service.folder, dirs_exist_ok=True)
    models = ("Book", "Child", "Copy", "Country", "Librarian", "Loan", "Reader")
    names = ", ".join(f"{name} as {name}" for name in models)
    replace(service.folder, "app/models.py", TABLES, f"{TABLES}from app.library import {names}\n")
    replace(service.folder, "app/api.py", ROUTERS, f"{ROUTERS}    library_router,\n")
    replace(
        service.folder,
        "app/api.py",
        f"\n{ENDPOINTS}",
        f"\nfrom app.library import library_router\n\n{ENDPOINTS}",
    )
    with database(service) as url:
        alembic(service, url, "upgrade head", "revision --autogenerate -m Library", "upgrade head")
    service.uv_run("pytest", "-q", "tests/test_library.py", "tests/core/test_migrations.py")
