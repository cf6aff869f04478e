"""A migration that would block tables, or break the previous release, fails a service's tests."""

import sys
from pathlib import Path

from harness.projects import write_migration
from harness.rendering import render
from harness.services import Service


def test_unsafe_migration_fails_until_its_rule_or_file_is_excluded(
    template: Path, tmp_path: Path
) -> None:
    service = Service(render(template, tmp_path / "service", driver="asyncpg"), Path(sys.prefix))
    test = (sys.executable, "-m", "pytest", "-q", "tests/core/test_migration_safety.py")
    write_migration(service.folder, "20250102_old.py", 'op.drop_column("projects", "version")')
    drop = write_migration(
        service.folder,
        "20260102_drop.py",
        'op.drop_column("projects", "description")',
        revision="0003",
        follows="0002",
    )
    output = service.fail(*test)
    assert "20250102_old.sql:1:21: warning: ban-drop-column" in output
    assert "20260102_drop.sql:1:21: warning: ban-drop-column" in output
    drop.write_text(f'{drop.read_text()}\n\nsquawk_ignore = ["ban-drop-column"]\n')
    rules = service.folder / "tests" / "squawk.toml"
    rules.write_text(rules.read_text().replace("paths = []", 'paths = ["2025*.sql"]'))
    service.succeed(*test)
