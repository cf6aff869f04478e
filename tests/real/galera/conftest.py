"""A Galera cluster of three nodes, and migrated services on it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from harness.galera import Node, running_cluster
from harness.running import alembic
from harness.services import Service
from harness.suites import noting
from harness.variants import Variant
from harness.waiting import eventually
from tests.real.galera.cluster import bootstrap, url
from tests.real.galera.known_failures import REASONS


@pytest.fixture(scope="session")
def cluster() -> Iterator[list[Node]]:
    with running_cluster() as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def complete(cluster: list[Node], tested: Callable[[str, str], None]) -> None:
    """Each test begins with three nodes, also if one before it has failed."""
    survivor = next(node for node in cluster if node.is_running)
    if survivor.status("wsrep_cluster_status") == "non-Primary":
        bootstrap(survivor)
    for node in cluster:
        if not node.is_running:
            node.start()
    eventually(lambda: all(node.status("wsrep_cluster_size") == "3" for node in cluster))
    tested("Galera", noting(cluster[0].version, REASONS))


@pytest.fixture
def service(rendered: Callable[[Variant], Path], tmp_path: Path, driver: str) -> Service:
    folder = shutil.copytree(rendered(Variant(driver)), tmp_path / "service")
    return Service(folder, Path(sys.prefix))


@pytest.fixture
def name(cluster: list[Node], service: Service) -> str:
    """The name of a migrated database."""
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    alembic(service, url(cluster[0], name), "upgrade 0001")
    return name
