"""The update that adds jobs, and with them summaries of measurements, to a service with rows."""

from pathlib import Path

import pytest

from harness.projects import Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from harness.variants import DRIVERS
from tests.updates.deployments import updated_copy

SENSORS = "/api/v1/sensors"


@pytest.mark.nightly
@pytest.mark.parametrize("driver", DRIVERS)
def test_jobs_add_summaries_of_measurements(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str
) -> None:
    answers = {"driver": driver, "examples": ["measurements"]}
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, answers, "2.6.0", jobs="database"
    )
    assert "migrations/versions/0003_sensor_summaries.py" in message
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url) as previous:
            station = previous.call("POST", "/api/v1/stations", {"name": "Harbor"}, status=201)
            path = f"/api/v1/stations/{station['id']}/sensors"
            sensor = previous.call("POST", path, {"name": "Air", "unit": "K"}, status=201)["id"]
            values = [{"measured_at": f"2030-01-0{n}T12:00:00Z", "value": n} for n in (1, 3)]
            body = {"measurements": values}
            previous.call("POST", f"{SENSORS}/{sensor}/measurements", body, status=201)
            alembic(new, url, "upgrade head", "check")
            previous.call("GET", f"{SENSORS}/{sensor}/statistics")
        with serving(new, url) as current:
            summary = current.call("GET", f"{SENSORS}/{sensor}/summary")
            assert (summary["count"], summary["average"]) == (2, 2)
        alembic(new, url, "downgrade -1", "upgrade head", "check")
