"""Fixtures that audit files written by a test."""

from collections.abc import Callable
from pathlib import Path

import pytest
from audit_async.audit import audit
from audit_async.findings import Finding
from audit_async.source.files import parse, python_files

Audit = Callable[..., list[Finding]]


@pytest.fixture
def audited(tmp_path: Path) -> Audit:
    """The findings in modules given by their names and source code."""

    def findings(**modules: str) -> list[Finding]:
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code)
        parsed = [parse(path) for path in python_files([tmp_path])]
        assert None not in parsed
        return audit([module for module in parsed if module])

    return findings
