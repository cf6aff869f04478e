"""What the guides of a service tell its operators holds, and their SQL runs."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.postgresql import PostgreSQL
from harness.servers import Server
from harness.services import Service
from harness.settings import defaults_of_settings
from harness.sites import LIVE, MySQLSite, PostgreSQLSite, ServerSite, created
from harness.variants import Variant
from harness.waiting import eventually

Rendered = Callable[[Variant], Path]
Servers = Callable[[str], Server]

EXAMPLES = ("projects", "assistant")
OF_POSTGRESQL = Variant("asyncpg", examples=EXAMPLES)
OF_MYSQL = Variant("aiomysql", examples=EXAMPLES)
OF_SQLITE = Variant(
    "aiosqlite", "layered", "session", mail="smtp", api_keys=True, telemetry="opentelemetry"
)
VARIANTS = pytest.mark.parametrize("documented", [OF_POSTGRESQL, OF_MYSQL, OF_SQLITE], ids=str)


def sections(document: Path) -> dict[str, str]:
    """The texts below the headings of a document."""
    parts = re.split(r"^## (.+)\n", document.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def statements(section: str, vendor: str) -> Iterator[str]:
    """The SQL of a section, without that for other vendors."""
    pattern = r"(?:^On (\w+):\n\n)?^ *```sql\n(.*?)^ *```$"
    for only, block in re.findall(pattern, section, re.MULTILINE | re.DOTALL):
        if only in ("", vendor):
            yield from filter(str.strip, block.split(";\n"))


@VARIANTS
def test_orchestrators_allow_a_shutdown_enough_time(
    rendered: Rendered, documented: Variant
) -> None:
    service = rendered(documented)
    guide = sections(service / "docs/operating.md")["Start and stop"]
    defaults = defaults_of_settings(service)
    [*fixed] = re.findall(r"^\| \+ (\d+) \|", guide, re.MULTILINE)
    code = "".join(path.read_text() for path in (service / "app").rglob("*.py"))
    [cleanup] = re.findall(r"^CLEANUP_SECONDS = (\d+)", code, re.MULTILINE)
    [*close] = re.findall(r"^CLOSE_SECONDS = (\d+)", code, re.MULTILINE)
    queues = code.count("queue.running()")
    [*flush] = re.findall(r"^FLUSH_SECONDS = (\d+)", code, re.MULTILINE)
    assert sorted(map(int, fixed)) == sorted(map(int, [cleanup, *close * queues, *flush]))
    needed = sum(map(int, fixed))
    for name in ("SHUTDOWN_DELAY", "SHUTDOWN_TIMEOUT"):
        assert f"{name} ({defaults[name]})" in guide
        needed += int(defaults[name] or 0)
    assert f"the sum, {needed} seconds" in guide
    allowed = yaml.safe_load((service / "compose.yaml").read_text())["services"]["service"][
        "stop_grace_period"
    ]
    assert needed < int(allowed.removesuffix("s"))
    for option in ("GracePeriodSeconds: {}`", "stop_grace_period: {}s", "-t {}`", "Sec={}`"):
        assert option.format(allowed.removesuffix("s")) in guide
    assert f"allows {allowed.removesuffix('s')}," in (service / "README.md").read_text()


@VARIANTS
def test_guide_describes_each_health_check_and_each_figure_of_the_pool(
    rendered: Rendered, documented: Variant
) -> None:
    service = rendered(documented)
    guide = sections(service / "docs/operating.md")["Health checks"]
    health = (service / "app/core/health.py").read_text()
    paths = {f"/health/{path}" for path in re.findall(r'^@router.get\("/(\w+)"', health, re.M)}
    assert {*re.findall(r"^\| `(/\S+)`", guide, re.MULTILINE)} == paths
    [probes] = re.findall(r"^```yaml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert {probe["httpGet"]["path"] for probe in yaml.safe_load(probes).values()} < paths
    pool = (service / "app/core/pool.py").read_text()
    status = re.search(r"^class PoolStatus\(.*?\n\n\n", pool, re.MULTILINE | re.DOTALL)
    assert status
    figures = re.findall(r"^    (\w+): ", status[0], re.MULTILINE)
    rows = "".join(re.findall(r"^\| (`\w+`.*?) \|", guide, re.MULTILINE))
    assert re.findall(r"`(\w+)`", rows) == figures


@VARIANTS
def test_guide_has_the_end_of_each_version_that_the_service_uses(
    rendered: Rendered, documented: Variant
) -> None:
    service = rendered(documented)
    guide = sections(service / "docs/operating.md")["Supported versions"]
    versions = re.findall(r"^\| (\w+ [\d.]+)", guide, re.MULTILINE)
    workflow = yaml.safe_load((service / ".github/workflows/ci.yml").read_text())
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert [name for name in versions if name.startswith("Python")] == [
        f"Python {version}" for version in tested
    ]
    [python] = {*re.findall(r"^FROM python:([\d.]+)", (service / "Dockerfile").read_text(), re.M)}
    assert f"| Python {python}, in the image |" in guide
    compose = yaml.safe_load((service / "compose.yaml").read_text())["services"]
    if "database" in compose:
        version = compose["database"]["image"].partition(":")[2]
        assert re.search(rf"^\| \w+ {version}\b.*, in `compose.yaml` \|", guide, re.MULTILINE)


def service_of(rendered: Rendered, documented: Variant, folder: Path) -> Service:
    copy = shutil.copytree(rendered(documented), folder / "service")
    return Service(copy, Path(sys.prefix))


def rows_of(connection: Any, section: str, vendor: str) -> list[list[dict[str, Any]]]:
    """The rows that each statement of a section returns."""
    results = []
    for statement in statements(section, vendor):
        cursor = connection.cursor()
        cursor.execute(statement)
        names = [column[0].lower() for column in cursor.description or ()]
        results.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
    return results


def lock_row(connection: Any) -> None:
    connection.cursor().execute("UPDATE held SET n = n + 1")


@dataclass(frozen=True)
class Locks:
    """The ID of a connection, the column of the runbook that names a blocking one, and its end."""

    identity: str
    column: str
    end: str


def operate(service: Service, site: ServerSite, renewed: str, locks: Locks) -> None:
    """Find and end the transaction that blocks another; then change the password of the service.

    `renewed` is the URL of the database for the second user.
    """
    path = f"{Path(sys.executable).parent}:{service.variables['PATH']}"
    service.succeed("alembic", "upgrade", "head", PATH=path, DATABASE_URL=site.url(LIVE))
    runbook = sections(service.folder / "docs/runbook.md")
    server = site.server
    with closing(server.connect(LIVE)) as administrator:
        for title in ("Too many connections", "The disk is full"):
            assert all(rows_of(administrator, runbook[title], site.vendor)[:1]), title
        assert len(list(statements(runbook["The disk is full"], site.vendor))) >= 2
        administrator.cursor().execute("CREATE TABLE held (n INT)")
        administrator.cursor().execute("INSERT INTO held VALUES (1)")
        with (
            closing(server.connect(LIVE)) as waiter,
            ThreadPoolExecutor(1) as thread,
            closing(server.connect(LIVE)) as holder,
        ):
            cursor = holder.cursor()
            cursor.execute(locks.identity)
            [[blocking]] = cursor.fetchall()
            cursor.execute("BEGIN")
            lock_row(holder)
            waiting = thread.submit(lock_row, waiter)

            def found() -> bool:
                rows = rows_of(administrator, runbook["Locks"], site.vendor)[-1]
                return any(row[locks.column] in (blocking, [blocking]) for row in rows)

            # InnoDB reads its locks anew if nobody has asked for a tenth of a second.
            eventually(found, interval=0.2)
            assert not waiting.done()
            administrator.cursor().execute(locks.end.format(blocking))
            waiting.result()
        administrator.cursor().execute("DROP TABLE held")

        *create, remove = statements(
            sections(service.folder / "docs/operating.md")["Rotate secrets"], site.vendor
        )
        for statement in create:
            administrator.cursor().execute(statement)
        blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", runbook["First look"], re.M | re.DOTALL)
        for url in (site.url(LIVE), renewed):
            for block in blocks:
                printed = service.succeed("sh", "-euc", block, PATH=path, DATABASE_URL=url)
                assert "Writing: wrote a row" in printed
        administrator.cursor().execute(remove)
    check = service.run("sh", "-euc", blocks[0], PATH=path, DATABASE_URL=site.url(LIVE))
    assert check.returncode == 1
    assert "FAILED" in check.stdout
    service.succeed("sh", "-euc", blocks[0], PATH=path, DATABASE_URL=renewed)


@pytest.mark.xdist_group("faults-postgresql")
def test_sql_finds_blocking_transactions_and_changes_the_password_on_postgresql(
    rendered: Rendered, servers: Servers, tmp_path: Path
) -> None:
    server = servers("postgresql")
    assert isinstance(server, PostgreSQL)
    with created(PostgreSQLSite(server)) as site:
        service = service_of(rendered, OF_POSTGRESQL, tmp_path)
        renewed = f"postgresql://{LIVE}_2@127.0.0.1:{server.port}/{LIVE}"
        try:
            locks = Locks(
                "SELECT pg_backend_pid()", "blocked_by", "SELECT pg_terminate_backend({})"
            )
            operate(service, site, renewed, locks)
            # Both roles act as the owner of the tables.
            owner = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
            assert server.execute(owner, database=LIVE) == [(LIVE,)]
        finally:
            server.execute(f"DROP ROLE IF EXISTS {LIVE}_2")


@pytest.mark.xdist_group("faults-mysql")
def test_sql_finds_blocking_transactions_and_changes_the_password_on_mariadb(
    rendered: Rendered, servers: Servers, tmp_path: Path
) -> None:
    server = servers("mysql")
    with created(MySQLSite(server, "MariaDB", tmp_path)) as site:
        service = service_of(rendered, OF_MYSQL, tmp_path)
        renewed = f"mysql://{LIVE}_2:a%20new%20one@127.0.0.1:{server.port}/{LIVE}"
        try:
            locks = Locks("SELECT connection_id()", "blocking_id", "KILL {}")
            operate(service, site, renewed, locks)
        finally:
            server.execute(f"DROP USER IF EXISTS {LIVE}_2")
            server.execute(f"CREATE USER IF NOT EXISTS {LIVE}")  # `created` drops it
