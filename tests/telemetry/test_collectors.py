"""Collectors: what they receive, and that a service does not depend on them."""

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress

import httpx2
import pytest

from harness.otlp import Collector, collecting
from harness.parts import nightly
from harness.running import python_of, settings
from harness.services import Service
from harness.variants import FAMILIES
from harness.waiting import eventually, free_port
from tests.telemetry.conftest import Serve

PROJECTS = "/api/v1/projects"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
KEY = "the-key-of-a-vendor"
SYSTEMS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb"}


def requests(collector: Collector, status: int) -> int:
    """How often `POST /api/v1/projects` had a status, in the last export."""
    points = collector.points(
        "http.server.request.duration", http_route=PROJECTS, http_request_method="POST"
    )
    return sum(
        point.count
        for point in points
        if any(
            pair.key == "http.response.status_code" and pair.value.int_value == status
            for pair in point.attributes
        )
    )


@pytest.mark.parametrize("driver", ["asyncpg", nightly("aiosqlite"), nightly("aiomysql")])
def test_request_is_found_by_its_trace_in_the_log_too_and_moves_one_metric_by_one(
    serve: Serve, driver: str
) -> None:
    with (
        collecting() as collector,
        serve(driver, log_format="json", **collector.settings) as running,
    ):
        for name in ("first", "second"):
            running.call("POST", PROJECTS, {"name": name}, status=201)
        eventually(lambda: collector.metrics and requests(collector, 201) == 2)
        response = running.client.post(PROJECTS, json={"name": "second"}, headers=HEADERS)
        assert response.status_code == 409
        eventually(lambda: requests(collector, 409) == 1)
        assert requests(collector, 201) == 2
        eventually(lambda: len(collector.trace(TRACE)) == 2)
        request, statement = collector.trace(TRACE)
        assert (request.name, request.is_error) == (f"POST {PROJECTS}", False)
        assert (statement.name, statement.is_error) == ("INSERT projects", True)
        assert statement.attributes["db.system.name"] == SYSTEMS[FAMILIES[driver]]
        assert request.resource["service.name"] == "my-service"
        lines = [json.loads(line) for line in running.log.splitlines()]
        cause, access = (line for line in lines if line.get("trace_id") == TRACE)
        assert {cause["span_id"], access["span_id"]} == {request.span_id}
        assert "uq_projects_name" in cause["message"] or FAMILIES[driver] == "sqlite"
        assert (access["logger"], access["status"]) == ("app.core.access_log", 409)
        assert collector.points("db.client.connection.count", db_client_connection_state="idle")


@pytest.mark.parametrize("collector_is", ["down", "refusing", "slow"])
def test_collector_that_does_not_work_delays_neither_requests_nor_the_shutdown(
    serve: Serve, collector_is: str
) -> None:
    """A slow one responds to the first export when the service has stopped."""
    with collecting() as collector:
        variables = {"OTEL_EXPORTER_OTLP_HEADERS": f"api-key={KEY}", **collector.settings}
        if collector_is == "down":
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
        elif collector_is == "refusing":
            collector.status = 503
        else:
            collector.may_respond.clear()
        with serve("aiosqlite", **variables) as running:
            running.call("POST", PROJECTS, {"name": "first"}, status=201)
            if collector_is != "down":
                eventually(lambda: {"/v1/traces", "/v1/metrics"} <= set(collector.paths))
            for _ in range(50):
                running.call("GET", PROJECTS)
            running.stop()
            assert "Traceback" not in running.log
            assert KEY not in running.log


def test_each_process_of_a_server_exports_with_an_id_of_its_own(
    migrated: Callable[[str], tuple[Service, str]],
) -> None:
    service, url = migrated("aiosqlite")
    port = free_port()
    with collecting() as collector:
        process = subprocess.Popen(
            [
                *(str(python_of(service)), "-m", "uvicorn", "app.main:app"),
                *("--workers", "2", "--port", str(port)),
            ],
            cwd=service.folder,
            env=service.variables | settings(url, collector.settings),
        )
        try:

            def processes() -> int:
                with suppress(httpx2.TransportError):  # not started yet
                    httpx2.get(f"http://127.0.0.1:{port}{PROJECTS}").raise_for_status()
                return len({span.resource["service.instance.id"] for span in collector.spans})

            eventually(lambda: processes() == 2)
        finally:
            process.terminate()
            assert process.wait(30) == 0


def test_service_without_variables_exports_nothing_and_logs_no_warning(serve: Serve) -> None:
    with serve("aiosqlite") as running:
        running.call("POST", PROJECTS, {"name": "first"}, status=201)
        running.stop()
        assert "opentelemetry" not in running.log.lower()
        assert "WARNING" not in running.log
