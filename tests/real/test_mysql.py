"""MySQL itself, for which MariaDB stands in everywhere else."""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast
from uuid import uuid4

import pymysql
import pytest

from harness import debian
from harness.commands import succeed
from harness.mysql import RELEASE, MySQL
from harness.rendering import ROOT
from harness.restoring import drill
from harness.running import alembic, succeed_in
from harness.servers import Server, running
from harness.services import UV, Service
from harness.sites import MySQLSite, created
from harness.suites import check_suite, noting
from harness.variants import Variant, named
from tests.owners.test_owners import add_models
from tests.test_restore import Rendered, service_of
from tests.transfer.services import fill, migrate, render_for_each_database
from tests.transfer.transferring import load, rows, transfer

# The tests of each variant that are known to fail, with the reason.
KNOWN: dict[str, dict[str, str]] = {
    "asyncmy-layered-jwt-all-limits": {},
    "aiomysql-by_feature-jwt-all-sync": {},
    "asyncmy-flat-jwt-all-dev_sqlite": {},
}

# The tests in tests/faults in which the server is replicated, locks rows, or is read-only.
FAULTS = ("failover", "idempotency", "jobs", "migrations", "pool", "read_replicas")

# Prints what happens to statements with a limit of two seconds, which is three for the client.
LIMITED = """
import asyncio

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.database_errors import classify
from app.core.engines import create_engine
from app.settings import Settings

READ = '''
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900)
SELECT count(*) FROM n AS a, n AS b, n AS c WHERE a.i + b.i + c.i > 0
'''
WRITE = "UPDATE slow SET number = SLEEP(600)"

async def main():
    engine = create_engine(Settings(database_statement_timeout=2, slow_query_seconds=0))
    for statement in (READ, WRITE):
        async with engine.connect() as connection:
            try:
                await connection.execute(text(statement))
            except DBAPIError as error:
                print(classify(error).name, error.orig.args[0])
    await engine.dispose()

asyncio.run(main())
"""

# Prints what a default of the server and a violated CHECK look like.
INSERTED = """
import asyncio

from sqlalchemy import CheckConstraint
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.database_errors import classify
from app.database import Database
from app.settings import Settings

class Base(DeclarativeBase):
    pass

class Row(Base):
    __tablename__ = "inserted"
    __table_args__ = (CheckConstraint("id > 0"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(server_default="7")

async def main():
    database = Database(Settings(slow_query_seconds=0))
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.write() as session:
        row = Row(id=1)
        session.add(row)
        await session.flush()
        try:
            print(row.number)
        except StatementError as error:
            await session.refresh(row)
            print(type(error.orig).__name__, row.number)
        session.add(Row(id=0))
        try:
            await session.flush()
        except DBAPIError as error:
            print(type(error).__name__, classify(error).name, error.orig.args[0])
    await database.dispose()

asyncio.run(main())
"""


# Prints the errors of a write and of DDL.
WRITTEN = """
import asyncio

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.database_errors import classify, is_read_only
from app.core.engines import create_engine
from app.settings import Settings

async def main():
    engine = create_engine(Settings())
    for statement in ("DELETE FROM projects", "CREATE TABLE numbers (number INTEGER)"):
        try:
            async with engine.begin() as connection:
                await connection.execute(text(statement))
        except DBAPIError as error:
            print(classify(error).name, is_read_only(error), error.orig.args[0])
    await engine.dispose()

asyncio.run(main())
"""


class ReadOnlyMySQL(MySQL):
    """MySQL that can be started again with `innodb_read_only`."""

    is_read_only = False

    def command(self) -> list[str]:
        if not self.is_read_only:
            return super().command()
        own = [option for option in super().command() if not option.startswith("--init-file")]
        return [*own, "--innodb-read-only"]


@pytest.fixture(scope="module")
def mysql() -> Iterator[MySQL]:
    with running(MySQL) as server:
        yield cast("MySQL", server)


@pytest.fixture
def noted(mysql: MySQL, tested: Callable[[str, str], None]) -> None:
    assert "mariadb" not in mysql.version.lower()
    reasons = {reason for failures in KNOWN.values() for reason in failures.values()}
    tested("MySQL", noting(mysql.version, reasons))


@pytest.fixture(params=["mysql", "mariadb"])
def server(
    request: pytest.FixtureRequest, mysql: MySQL, servers: Callable[[str], Server]
) -> Server:
    return mysql if request.param == "mysql" else servers("mysql")


def new_database(server: Server, scheme: str = "mysql") -> str:
    """Return the URL of an empty database. The server is temporary, so it is not dropped."""
    name = f"real_{uuid4().hex}"
    server.create_database(name)
    return f"{scheme}://{server.address}/{name}"


def is_mysql(server: Server) -> bool:
    return isinstance(server, MySQL)


# --- Services ---


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("name", KNOWN)
def test_suite_passes(mysql: MySQL, installed: Callable[[Variant], Service], name: str) -> None:
    service = installed(named(name))
    check_suite(service, KNOWN[name], TEST_DATABASE_URL=f"mysql://{mysql.address}/service_test")


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_values_and_constraints_of_an_owner_work(
    mysql: MySQL, installed: Callable[[Variant], Service], driver: str
) -> None:
    service = installed(Variant(driver, examples=()))
    add_models(service)
    alembic(service, new_database(mysql), "upgrade head", "revision --autogenerate -m Library")
    url = f"mysql://{mysql.address}/service_test"
    tests = ("tests/test_constraints.py", "tests/test_library.py", "tests/core/test_migrations.py")
    service.succeed(UV, "run", "--no-sync", "pytest", "-q", *tests, TEST_DATABASE_URL=url)


@pytest.mark.usefixtures("noted")
def test_rows_of_a_service_are_equal_after_a_transfer_to_and_from_mysql(
    template: Path, tmp_path: Path, mysql: MySQL, servers: Callable[[str], Server]
) -> None:
    services = render_for_each_database(template, tmp_path)
    # On PostgreSQL, summaries are a view, which is no table and has no rows to copy.
    metadata = load(services["postgresql"]).Base.metadata
    path = ["postgresql", "mysql", "sqlite", "mysql", "postgresql"]
    urls = []
    for number, kind in enumerate(path):
        if kind == "sqlite":
            urls.append(f"sqlite:///{tmp_path}/{number}.db")
        else:
            urls.append(new_database(mysql if kind == "mysql" else servers(kind), kind))
        migrate(services[kind], urls[-1])
    fill(metadata, urls[0], 40)
    filled = rows(metadata, urls[0])
    for (_, old), (kind, new) in pairwise(zip(path, urls, strict=True)):
        output = transfer(services[kind], old, new)
        assert output.count("  equal\n") == len(filled) + (kind != "postgresql")
        assert rows(metadata, new) == filled


@pytest.mark.usefixtures("noted")
def test_backup_is_restored(rendered: Rendered, tmp_path: Path, mysql: MySQL) -> None:
    clients = debian.unpacked("mysql-client-core", RELEASE)
    programs = debian.linked(clients, ["mysqldump", "mysql"], tmp_path / "programs")
    with created(MySQLSite(mysql, "MySQL", tmp_path, str(programs))) as site:
        drill(service_of(rendered, "asyncmy", tmp_path), site)


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("faults", FAULTS)
def test_promises_under_faults_hold(mysql: MySQL, faults: str) -> None:
    file = f"tests/faults/test_{faults}.py"
    # The drivers differ on MariaDB too.
    options = ("--all", "--mysql", "-k", "asyncmy", "-p", "no:cacheprovider", "--tb=short")
    variables = os.environ | {"TEST_DATABASE_URL": f"mysql://{mysql.address}/service_test"}
    succeed(sys.executable, "-m", "pytest", file, *options, cwd=ROOT, env=variables)


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_write_to_read_only_storage_is_that_of_a_replica(
    tmp_path: Path, installed: Callable[[Variant], Service], driver: str
) -> None:
    server = ReadOnlyMySQL(tmp_path)
    try:
        server.start()
        url = new_database(server)
        service = installed(Variant(driver))
        alembic(service, url, "upgrade head")
        server.stop()
        server.is_read_only = True
        server.start()
        output = succeed_in(service, url, "python", "-c", WRITTEN)
    finally:
        server.stop()
    assert output == "UNAVAILABLE True 1015\nUNAVAILABLE True 1836\n"


# --- Differences between MySQL and MariaDB that the documentation of services names ---


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_limit_of_mysql_covers_only_reads_and_the_client_ends_long_writes(
    server: Server, installed: Callable[[Variant], Service], driver: str
) -> None:
    service = installed(Variant(driver))
    url = new_database(server)
    name = url.rpartition("/")[2]
    server.execute("CREATE TABLE slow (number INTEGER)", database=name)
    server.execute("INSERT INTO slow VALUES (1)", database=name)
    output = succeed_in(service, url, "python", "-c", LIMITED)
    expected = (
        "TIMEOUT 3024\nUNAVAILABLE 2013\n" if is_mysql(server) else "TIMEOUT 1969\nTIMEOUT 1969\n"
    )
    assert output == expected


@pytest.mark.usefixtures("noted")
def test_write_may_take_longer_than_the_limit_of_mysql(server: Server) -> None:
    name = new_database(server).rpartition("/")[2]
    with server.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE slow (number INTEGER)")
        cursor.execute("INSERT INTO slow VALUES (1)")
        if is_mysql(server):
            cursor.execute("SET SESSION max_execution_time = 100")
            cursor.execute("UPDATE slow SET number = 2 + SLEEP(0.5)")
            assert cursor.rowcount == 1
        else:
            cursor.execute("SET SESSION max_statement_time = 0.1")
            with pytest.raises(pymysql.OperationalError, match="1969"):
                cursor.execute("UPDATE slow SET number = 2 + SLEEP(0.5)")


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
def test_mysql_returns_no_defaults_and_has_its_own_number_for_a_violated_check(
    server: Server, installed: Callable[[Variant], Service], driver: str
) -> None:
    output = succeed_in(installed(Variant(driver)), new_database(server), "python", "-c", INSERTED)
    expected = (
        "MissingGreenlet 7\nOperationalError CHECK 3819\n"
        if is_mysql(server)
        else "7\nOperationalError CHECK 4025\n"
    )
    assert output == expected


@pytest.mark.usefixtures("noted")
def test_insert_returning_is_a_syntax_error_on_mysql(server: Server) -> None:
    name = new_database(server).rpartition("/")[2]
    server.execute("CREATE TABLE numbers (number INTEGER)", database=name)
    statement = "INSERT INTO numbers VALUES (1) RETURNING number"
    if is_mysql(server):
        with pytest.raises(pymysql.ProgrammingError, match="1064"):
            server.execute(statement, database=name)
    else:
        assert server.execute(statement, database=name) == [(1,)]


@pytest.mark.usefixtures("noted")
def test_tables_of_a_migrated_database_compare_text_by_its_code_points(
    mysql: MySQL, installed: Callable[[Variant], Service]
) -> None:
    service = installed(named("asyncmy-layered-jwt-all-limits"))
    url = new_database(mysql)
    name = url.rpartition("/")[2]
    question = "SELECT @@collation_database"
    assert mysql.execute(question, database=name) == [("utf8mb4_0900_ai_ci",)]
    succeed_in(service, url, "alembic", "upgrade", "head")
    assert mysql.execute(question, database=name) == [("utf8mb4_bin",)]
    columns = mysql.execute(
        "SELECT DISTINCT collation_name FROM information_schema.columns"
        " WHERE table_schema = %s AND collation_name IS NOT NULL",
        name,
    )
    assert columns == [("utf8mb4_bin",)]
