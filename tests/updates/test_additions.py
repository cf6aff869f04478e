"""Updates that add features, by migrations, to services with edits and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.projects import Project, Template
from harness.running import Running, alembic, database, serving, settings
from harness.services import UV, InEnvironment
from tests.updates import owner


@dataclass(frozen=True)
class Addition:
    """The answers that an update changes, and what they need."""

    auth: str  # before the update
    answers: Mapping[str, Any]
    migrations: Sequence[str]  # that the update adds
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)  # of the migrations


OWNER = {"owner_email": "ada@example.org", "owner_password": owner.PASSWORD}
KEY = {"secret_key": "development-secret-of-the-tests-alone"}
MAIL = {"mail_from": "noreply@example.org", "frontend_url": "https://app.example.org"}
ADDITIONS = {
    "accounts": Addition("none", {"auth": "jwt"}, ["accounts"], KEY, OWNER),
    "roles": Addition("jwt", {}, ["roles"], KEY),
    "api_keys": Addition("jwt", {"api_keys": True}, ["roles", "api_keys"], KEY),
    "mail": Addition("jwt", {"mail": "smtp"}, ["roles", "mail"], KEY | MAIL),
    "rate_limits": Addition("jwt", {"rate_limits": True}, ["roles", "rate_limits"], KEY),
    "api_keys and mail": Addition(
        "jwt", {"api_keys": True, "mail": "smtp"}, ["roles", "api_keys", "mail"], KEY | MAIL
    ),
}


@pytest.mark.nightly
@pytest.mark.parametrize("added", ADDITIONS)
@pytest.mark.parametrize(
    ("version", "driver"), [("1.0.0", "asyncpg"), ("2.4.0", "aiomysql"), ("2.4.0", "aiosqlite")]
)
def test_edits_and_rows_are_kept_by_an_update_that_adds_features(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    version: str,
    driver: str,
    added: str,
) -> None:
    addition = ADDITIONS[added]
    before = {"driver": driver, "structure": "layered", "auth": addition.auth}
    project = Project.copy(upstream, tmp_path / "project", version, **before)
    owner.make_additions(project, "layered")
    service = in_environment(project.folder)
    with database(service) as url:
        rows = owner.settle(project, service, url)

        message = project.update(**addition.answers)
        assert project.conflicts() == set()
        assert set(owner.lost_edits(project, "layered")) == owner.NOT_DELETED
        for migration in addition.migrations:
            assert f"_{migration}.py " in message
        owner.rename_httpx(project, message)
        for name, value in addition.settings.items():
            owner.append(project, ".env", f"{name.upper()}={value}\n")
        service = in_environment(project.folder)
        variables = settings(url, addition.variables)
        service.succeed(UV, "run", "--no-sync", "alembic", "upgrade", "head", **variables)
        assert alembic(service, url, "check", "heads").count("(head)") == 1
        assert owner.show(service, url) == rows
        with serving(service, url, **addition.settings) as running:
            assert sorted(projects_of_ada(running)) == ["Garden", "Pond 🐟"]
            assert running.call("GET", "/api/v1/labels") == ["urgent"]
    service.uv_run("pytest", "-q", "--no-cov", "tests/test_labels.py", "tests/test_projects.py")


def projects_of_ada(running: Running) -> list[str]:
    form = {"username": "ada@example.org", "password": owner.PASSWORD}
    response = running.client.post("/api/v1/auth/token", data=form)
    assert response.status_code == 200, response.text
    bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
    found = running.client.get("/api/v1/projects", headers=bearer).json()
    return [project["name"] for project in found["items"]]
