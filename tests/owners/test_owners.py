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
FAILING = Path(__file__).with_name("failing") / "test_failing.py"
MODELS = {
    "archive": ["Keeper", "Language", "Room"],
    "library": ["Book", "Child", "Copy", "Country", "Librarian", "Loan", "Reader"],
}
TABLES = "# Your own tables go below this line: what updates add comes above it.\n"
ENDPOINTS = "# Your own endpoints go below this line: what updates add comes above it.\n"
ROUTERS = "    # Your own go below this line.\n"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("driver", DRIVERS if metafunc.config.getoption("all") else ONE_EACH)


def test_models_of_an_owner_work(installed: Callable[[Variant], Service], driver: str) -> None:
    service = installed(Variant(driver, examples=()))
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
    with database(service) as url:
        alembic(service, url, "upgrade head", "revision --autogenerate -m Library", "upgrade head")
    service.uv_run("ruff", "check", *(f"app/{name}.py" for name in MODELS))
    if driver == ONE_EACH[0]:
        service.uv_run("mypy", "app")
    tests = ("tests/test_archive.py", "tests/test_library.py", "tests/core/test_migrations.py")
    service.uv_run("pytest", "-q", *tests)
    shutil.copy(FAILING, service.folder / "tests")
    failed = service.uv_run_failing("pytest", "-q", "--tb=no", "tests/test_failing.py")
    assert "1 failed, 8 passed, 4 errors" in failed, failed
    assert "test_passes" not in failed
