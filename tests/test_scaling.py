"""What docs/scaling.md says about larger databases holds in a service."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.rendering import ROOT
from harness.running import settings
from harness.servers import Server
from harness.services import Service
from harness.variants import Variant

MIGRATION = '''"""Partition measurements by time."""

from alembic import op

revision, down_revision = "0002", "0001"
branch_labels = depends_on = None


def upgrade() -> None:
    for statement in """{}""".split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError
'''


@pytest.mark.nightly
def test_partitioned_table_passes_the_suite_of_the_service(
    rendered: Callable[[Variant], Path], servers: Callable[[str], Server], tmp_path: Path
) -> None:
    variant = Variant("asyncpg", "flat", "none", ("measurements",))
    service = Service(shutil.copytree(rendered(variant), tmp_path / "service"), Path(sys.prefix))
    [statements] = re.findall(
        r"^```sql\n(.*?)^```$", (ROOT / "docs" / "scaling.md").read_text(), re.M | re.S
    )
    versions = service.folder / "migrations" / "versions"
    (versions / "0002_partition_measurements.py").write_text(MIGRATION.format(statements))
    server = servers("postgresql")
    server.recreate_database("partitioned")
    variables = settings(f"postgresql+asyncpg://{server.address}/partitioned", {})
    service.succeed(sys.executable, "-m", "alembic", "upgrade", "head", **variables)
    service.succeed(sys.executable, "-m", "alembic", "check", **variables)
    service.succeed(sys.executable, "-m", "pytest", "-q", "tests/test_measurements.py")
    [[partitioned]] = server.execute(
        "SELECT count(*) FROM pg_partitioned_table", database="partitioned"
    )
    assert partitioned == 1
