"""A database for each service whose telemetry is tested."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from harness.running import Running, alembic, serving
from harness.servers import Server
from harness.services import Service
from harness.variants import FAMILIES, Variant


@pytest.fixture
def empty_database(servers: Callable[[str], Server], tmp_path: Path) -> Callable[[str], str]:
    """The URL of an empty database for a driver."""

    def url(driver: str) -> str:
        family = FAMILIES[driver]
        if family == "sqlite":
            return f"sqlite:///{tmp_path}/telemetry.db"
        servers(family).recreate_database("telemetry")
        return f"{family}://{servers(family).address}/telemetry"

    return url


class Serve(Protocol):
    """Serves a service with telemetry, and with these variables."""

    def __call__(self, driver: str, **variables: object) -> AbstractContextManager[Running]: ...


@pytest.fixture
def migrated(
    rendered: Callable[[Variant], Path], empty_database: Callable[[str], str], tmp_path: Path
) -> Callable[[str], tuple[Service, str]]:
    """Returns a service with telemetry, and the URL of its migrated database."""

    def migrated(driver: str) -> tuple[Service, str]:
        variant = Variant(driver, telemetry="opentelemetry")
        folder = shutil.copytree(rendered(variant), tmp_path / "service")
        service = Service(folder, Path(sys.prefix))
        url = empty_database(driver)
        alembic(service, url, "upgrade head")
        return service, url

    return migrated


@pytest.fixture
def serve(migrated: Callable[[str], tuple[Service, str]]) -> Serve:
    @contextmanager
    def serve(driver: str, **variables: object) -> Iterator[Running]:
        service, url = migrated(driver)
        with serving(service, url, **variables) as running:
            yield running

    return serve
