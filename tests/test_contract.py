"""All structures and drivers with the same auth have the same OpenAPI document."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest

from harness.variants import AUTHS, DRIVERS, EXAMPLES, STRUCTURES, Variant

PROGRAM = """
import json, sys
sys.path.insert(0, ".")
from app.main import app
print(json.dumps(app.openapi()))
"""


@pytest.mark.parametrize("auth", AUTHS)
def test_every_structure_and_driver_has_the_same_document(
    rendered: Callable[[Variant], Path], auth: str
) -> None:
    documents = {
        (driver, structure): document_of(rendered(Variant(driver, structure, auth, EXAMPLES)))
        for driver, structure in (
            *product(["aiosqlite"], STRUCTURES),
            *zip(DRIVERS[1:], cycle(STRUCTURES)),
        )
    }
    reference = documents.pop(("aiosqlite", "flat"))
    for name, document in documents.items():
        assert document == reference, f"{name} differs"


@pytest.mark.parametrize("auth", AUTHS)
def test_each_example_adds_paths_and_changes_no_others(
    rendered: Callable[[Variant], Path], auth: str
) -> None:
    together = document_of(rendered(Variant("aiosqlite", "flat", auth, EXAMPLES)))["paths"]
    none = document_of(rendered(Variant("aiosqlite", "flat", auth, ())))["paths"]
    apart = dict(none)
    for example in EXAMPLES:
        alone = document_of(rendered(Variant("aiosqlite", "flat", auth, (example,))))["paths"]
        assert len(alone) > len(none)
        apart |= alone
    assert apart == together


def test_operations_have_short_unique_names(rendered: Callable[[Variant], Path]) -> None:
    document = document_of(rendered(Variant("aiosqlite", "flat", "jwt", EXAMPLES)))
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    assert all(name.islower() and len(name) < 25 for name in names)


@cache
def document_of(service: Path) -> dict[str, Any]:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=service, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document
