"""A migration that would block tables, or break the previous release, fails a service's tests."""

import sys
from pathlib import Path

from harness.rendering import render
from harness.services import Service

DROP = """
from alembic import op

revision = "{}"
down_revision = "{}"


def upgrade() -> None:
    op.drop_column("projects", "{}")
"""


def test_unsafe_migration_fails_until_its_rule_or_file_is_excluded(
    template: Path, tmp_path: Path
) -> None:
    service = Service(render(template, tmp_path / "service", driver="asyncpg"), Path(sys.prefix))
    test = (sys.executable, "-m", "pytest", "-q", "tests/core/test_migration_safety.py")
    versions = service.folder / "migrations" / "versions"
    drop, old = versions / "20260102_drop.py", versions / "20250102_old.py"
    old.write_text(DROP.format("0002", "0001", "version"))
    drop.write_text(DROP.format("0003", "0002", "description"))
    output = service.fail(*test)
    assert "20250102_old.sql:1:21: warning: ban-drop-column" in output
    assert "20260102_drop.sql:1:21: warning: ban-drop-column" in output
    drop.write_text(f'{drop.read_text()}\n\nsquawk_ignore = ["ban-drop-column"]\n')
    rules = service.folder / "tests" / "squawk.toml"
    rules.write_text(rules.read_text().replace("paths = []", 'paths = ["2025*.sql"]'))
    service.succeed(*test)
