"""One OpenAPI document for all structures and drivers of the same auth."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.variants import ALL, AUTHS, Variant

PROGRAM = """
import json, sys
sys.path.insert(0, ".")
from app.main import app
print(json.dumps(app.openapi()))
"""


@pytest.mark.parametrize("auth", AUTHS)
def test_document_is_the_same_for_every_structure_and_driver(
    rendered: Callable[[Variant], Path], auth: str
) -> None:
    documents = {
        str(variant): document_of(rendered(variant)) for variant in ALL if variant.auth == auth
    }
    reference, *others = documents.items()
    assert len(others) == 14
    for name, document in others:
        assert document == reference[1], f"{name} differs from {reference[0]}"


def test_operations_have_short_unique_names(rendered: Callable[[Variant], Path]) -> None:
    document = document_of(rendered(Variant("aiosqlite", "flat", "jwt")))
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
