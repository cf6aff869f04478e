"""The update that adds rate limits, by a migration."""

from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from harness.variants import DRIVERS, ONE_EACH
from tests.updates.deployments import include_own_router, updated_copy

LIMITED = """
from fastapi import APIRouter

from app.core.rate_limits import limit

own_router = APIRouter()


@own_router.get("/limited", dependencies=[limit("2/day")])
async def get_limited() -> None:
    pass
"""


@pytest.mark.parametrize(
    ("version", "driver"),
    [
        *(nightly("1.0.0", driver) for driver in ONE_EACH),
        *(nightly("2.3.0", driver) for driver in DRIVERS),
    ],
)
def test_rate_limits_are_added_while_the_previous_release_serves(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, version: str, driver: str
) -> None:
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, {"driver": driver}, version, rate_limits=True
    )
    assert "migrations/versions/0002_rate_limits.py  review it: it follows 0001" in message
    with (project.folder / "app" / "limited.py").open("w") as file:
        file.write(f'"""An endpoint of the owner."""\n{LIMITED}')
    include_own_router(project, "app.limited")
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url) as previous:
            previous.call("POST", "/api/v1/projects", {"name": "Garden"}, status=201)
            alembic(new, url, "upgrade head", "check")
            previous.call("POST", "/api/v1/projects", {"name": "Pond"}, status=201)
        with serving(new, url) as first, serving(new, url) as second:
            first.call("GET", "/limited")
            second.call("GET", "/limited")
            first.call("GET", "/limited", status=429)
            found = second.call("GET", "/api/v1/projects")["items"]
        assert {project["name"] for project in found} == {"Garden", "Pond"}
        alembic(new, url, "downgrade 0001", "upgrade head", "check")
