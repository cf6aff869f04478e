"""What the tests of services patch."""

import re

from tests.template.modules import ROOT

# `monkeypatch` may end after the fixtures that connect to the database, such as `database`.
PATCH = re.compile(r"\bmonkeypatch\.setattr\(\"?(asyncio|time)\b.*")


def test_asyncio_and_time_are_patched_by_a_context_only() -> None:
    files = [
        path for folder in ("template", "includes") for path in (ROOT / folder).rglob("test_*")
    ]
    assert len(files) > 100
    found = {
        path.name: patch.group() for path in files for patch in PATCH.finditer(path.read_text())
    }
    assert found == {}
