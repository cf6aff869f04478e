"""The commands in `docs/operating.md` of a service back up and restore its database."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.postgresql import PostgreSQL
from harness.restoring import drill
from harness.servers import Server
from harness.services import Service
from harness.sites import MySQLSite, PostgreSQLSite, SQLiteSite, created
from harness.variants import Variant

EXAMPLES = ("projects", "assistant")

Rendered = Callable[[Variant], Path]
Servers = Callable[[str], Server]


def service_of(rendered: Rendered, driver: str, folder: Path) -> Service:
    copy = shutil.copytree(rendered(Variant(driver, examples=EXAMPLES)), folder / "service")
    return Service(copy, Path(sys.prefix))


def test_sqlite_is_restored(rendered: Rendered, tmp_path: Path) -> None:
    service = service_of(rendered, "aiosqlite", tmp_path)
    drill(service, SQLiteSite(service.folder))


@pytest.mark.xdist_group("faults-postgresql")
@pytest.mark.nightly
def test_postgresql_is_restored(rendered: Rendered, servers: Servers, tmp_path: Path) -> None:
    server = servers("postgresql")
    assert isinstance(server, PostgreSQL)
    with created(PostgreSQLSite(server)) as site:
        drill(service_of(rendered, "asyncpg", tmp_path), site)


@pytest.mark.xdist_group("faults-mysql")
def test_mariadb_is_restored(rendered: Rendered, servers: Servers, tmp_path: Path) -> None:
    with created(MySQLSite(servers("mysql"), "MariaDB", tmp_path)) as site:
        drill(service_of(rendered, "aiomysql", tmp_path), site)
