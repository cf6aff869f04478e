"""The dashboard has only fields of Grafana's schema, with values of their types."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.variants import Variant

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


@pytest.fixture(scope="module")
def dashboard(rendered: Callable[[Variant], Path]) -> Any:
    register_default_plugins()
    folder = rendered(Variant("aiosqlite", telemetry="opentelemetry", jobs="database"))
    return json.loads((folder / "monitoring/dashboard.json").read_text())


def mistakes(document: Any) -> list[str]:
    """Fields that Grafana's schema lacks, and fields with values of other types."""
    parsed = Dashboard.from_json(document)
    return [*unknown(document, json.loads(json.dumps(parsed, cls=JSONEncoder))), *mistyped(parsed)]


def unknown(document: Any, known: Any, path: str = "") -> Iterator[str]:
    """The fields of a document that are missing after parsing it."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in known:
                yield from unknown(value, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from unknown(value, known[number], f"{path}.{number}")


def mistyped(value: Any, hint: Any = Any, path: str = "") -> Iterator[str]:
    """The fields of models with values of other types."""
    if hasattr(value, "from_json"):
        hints = get_type_hints(type(value))
        for name, each in vars(value).items():
            yield from mistyped(each, hints[name], f"{path}.{name}")
    elif isinstance(value, list) and any(hasattr(each, "from_json") for each in value):
        for number, each in enumerate(value):
            yield from mistyped(each, path=f"{path}.{number}")
    else:
        try:
            TypeAdapter(hint, config=STRICT).validate_json(json.dumps(value, cls=JSONEncoder))
        except ValidationError:
            yield path


def test_dashboard_matches_the_schema_of_grafana(dashboard: Any) -> None:
    assert mistakes(dashboard) == []


def test_mistakes_in_a_dashboard_are_found(dashboard: Any) -> None:
    panel = dashboard["panels"][0]
    dashboard["heading"] = panel["gridPos"]["width"] = panel["targets"][0]["legend"] = ""
    dashboard["refresh"] = 30
    panel["fieldConfig"]["defaults"]["min"] = "0"
    panel["targets"][0]["expr"] = 1
    assert len(mistakes(dashboard)) == 6
