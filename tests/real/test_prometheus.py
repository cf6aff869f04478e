"""Prometheus scrapes a service, and accepts its alerts and the queries of its dashboard."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from harness.commands import succeed
from harness.prometheus import program, running_prometheus, version
from harness.rendering import render
from harness.running import alembic, database, serving
from harness.services import Service
from harness.variants import ONE_EACH, Variant
from harness.waiting import eventually, free_port


@pytest.fixture(autouse=True)
def noted(tested: Callable[[str, str], None]) -> None:
    tested("Prometheus", version())


@pytest.fixture(params=ONE_EACH)
def service(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Service:
    variant = Variant(request.param, telemetry="opentelemetry", jobs="database")
    return Service(render(template, tmp_path / "service", **variant.answers), Path(sys.prefix))


def queries(service: Service) -> list[str]:
    """The queries of the dashboard."""
    dashboard = json.loads((service.folder / "monitoring" / "dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def check(*arguments: object) -> str:
    return succeed(program("promtool"), "check", *map(str, arguments))


def test_alerts_and_queries_of_the_dashboard_have_values(service: Service, tmp_path: Path) -> None:
    monitoring = service.folder / "monitoring"
    assert "SUCCESS: 7 rules found" in check("rules", monitoring / "alerts.yml")
    check("config", monitoring / "prometheus.yml")
    port = free_port()
    configuration = yaml.safe_load((monitoring / "prometheus.yml").read_text())
    configuration["global"]["scrape_interval"] = "1s"
    [job] = configuration["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (monitoring / "test.yml").write_text(yaml.safe_dump(configuration))
    variables = {
        "OTEL_METRICS_EXPORTER": "prometheus",
        "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
    }
    with database(service) as url:
        alembic(service, url, "upgrade head")
        with (
            serving(service, url, jobs_in_process=True, **variables) as running,
            running_prometheus(monitoring / "test.yml", tmp_path / "data") as prometheus,
        ):
            label = 'http_route="/api/v1/projects",http_response_status_code="201"'
            count = f"http_server_request_duration_seconds_count{{{label}}}"
            running.call("POST", "/api/v1/projects", {"name": "first"}, status=201)
            eventually(lambda: [each["value"][1] for each in prometheus.query(count)] == ["1"])
            running.call("POST", "/api/v1/projects", {"name": "second"}, status=201)
            eventually(lambda: [each["value"][1] for each in prometheus.query(count)] == ["2"])
            for query in queries(service):
                # Nothing has failed.
                query = query.replace('=~"5.."', '=~"2.."')
                eventually(partial(prometheus.query, query), partial(str, query))
            [group] = prometheus.get("rules")["groups"]
            assert len(group["rules"]) == 7
            eventually(
                lambda: (
                    {r["health"] for r in prometheus.get("rules")["groups"][0]["rules"]} == {"ok"}
                ),
                seconds=90,
            )
