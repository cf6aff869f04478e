"""The tests that docs/reliability.md names exist, and its tables are complete."""

import re

from harness.rendering import ROOT


def test_every_named_test_exists() -> None:
    table = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(tests|service)/([\w/]+\.py)::(\w+)`", table)
    assert len(named) > 30
    for place, file, test in named:
        rooms = [] if place == "tests" else ROOT.glob("includes/features/*/tests")
        # The file name of a rendered test may contain a condition.
        pattern = re.escape(file.removesuffix(".py"))
        found = [
            path
            for folder in (ROOT / ("tests" if place == "tests" else "template/tests"), *rooms)
            for path in folder.rglob("*")
            if re.search(rf"(^|/|}}){pattern}\.py", str(path.relative_to(folder)))
        ]
        assert any(f"def {test}(" in path.read_text() for path in found), f"{file}::{test}"
    promises, _, _ = table.partition("\n## Not defended\n")
    rows = [
        line for line in promises.splitlines() if line.startswith("| ") and "Promise" not in line
    ]
    assert all("::test_" in row for row in rows)
    assert [row for row in rows if not all(map(str.strip, row.split("|")[1:-1]))] == []
