"""Traces of all endpoints: they are equal on every database, and contain no secret."""

import re
from collections.abc import Callable
from itertools import groupby, product
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml

from harness.otlp import Collector, Span, collecting
from harness.variants import DRIVERS, EXAMPLES, FAMILIES, ONE_EACH, STRUCTURES, Variant
from harness.waiting import eventually
from tests.hostile import corpus
from tests.hostile.attacked import MODEL_PASSWORD, PASSWORD, SECRET, Attacked, attacked_service
from tests.hostile.endpoints import Endpoint, endpoints_of

# The spans within that of each operation.
EXPECTED: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("traces.yml").read_text())
# A server is also asked whether it is read-only.
READY_ON_SERVERS = {"ready": ["SELECT alembic_version", "SELECT"]}
# What depends on the driver and on other requests: docs/telemetry.md of a service.
WAIT = "wait for connection"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A driver of each database with one structure; with `--all`, each driver with each."""
    if "traced" in metafunc.fixturenames:
        everything = metafunc.config.getoption("all")
        pairs: Any = (
            product(DRIVERS, STRUCTURES) if everything else zip(ONE_EACH, STRUCTURES, strict=True)
        )
        variants = [
            Variant(driver, structure, "jwt", EXAMPLES, telemetry="opentelemetry")
            for driver, structure in pairs
        ]
        metafunc.parametrize("traced", variants, ids=str)


def send(endpoint: Endpoint, collector: Collector) -> tuple[int, list[Span]]:
    """Call an endpoint; return the status of its response and its spans, the request's first."""
    trace_id, caller = token_hex(16), token_hex(8)
    headers = {"traceparent": f"00-{trace_id}-{caller}-01"}
    # Lists reject parameters that they do not know.
    query = "" if endpoint.parameters else f"token={corpus.QUERY_SECRET}"
    status = endpoint.send(query, headers=headers, **content_of(endpoint)).status_code
    # The span of the request ends last, and spans are exported in the order of their end.
    eventually(lambda: any(span.parent_id == caller for span in collector.trace(trace_id)))
    spans = collector.trace(trace_id)
    [request] = [span for span in spans if span.parent_id == caller]
    others = [span for span in spans if span is not request]
    assert {span.parent_id for span in others} <= {request.span_id}
    return status, [request, *others]


def content_of(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.body is None:
        return {}
    content = endpoint.document["requestBody"]["content"]
    return {"data" if corpus.FORM in content else "json": endpoint.body}


def names_of(spans: list[Span]) -> list[str]:
    """The names of spans; a batch that is split has one."""
    return [name for name, _ in groupby(span.name for span in spans if span.name != WAIT)]


def test_trace_of_each_endpoint_is_the_same_on_every_driver_and_in_every_structure(
    template: Path, tmp_path: Path, empty_database: Callable[[str], str], traced: Variant
) -> None:
    with collecting() as collector:
        url = empty_database(traced.driver)
        with attacked_service(template, tmp_path, traced, url, **collector.settings) as attacked:
            found = {}
            for endpoint in endpoints_of(attacked):
                status, [request, *others] = send(endpoint, collector)
                assert request.name == f"{endpoint.method.upper()} {endpoint.path}"
                assert request.kind == "SERVER"
                assert not request.is_error
                assert request.attributes["http.response.status_code"] == status
                found[endpoint.name] = names_of(others)
            violate_constraints(attacked)
            user = attacked.request("GET", "/api/v1/users/me").json()
            pools = attacked.running.call("GET", "/health/pool").values()
            assert any(pool["direct_reads"] for pool in pools)
    expected = EXPECTED | (READY_ON_SERVERS if FAMILIES[traced.driver] != "sqlite" else {})
    assert found == expected, yaml.safe_dump(found)
    secrets = [PASSWORD, SECRET, MODEL_PASSWORD, attacked.token, corpus.ECHO, corpus.QUERY_SECRET]
    forbidden = re.compile("|".join(map(re.escape, [*secrets, user["email"], "@example.org"])))
    assert not [span.text for span in collector.spans if forbidden.search(span.text)]
    failed = [span for span in collector.spans if span.is_error]
    assert {span.kind for span in failed} == {"CLIENT"}
    assert not forbidden.search(attacked.running.log)


def violate_constraints(attacked: Attacked) -> None:
    """Send requests that the database rejects: drivers repeat the values in their messages."""
    email = attacked.request("GET", "/api/v1/users/me").json()["email"]
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    assert attacked.request("POST", "/api/v1/auth/register", json=account).status_code == 409
