"""Updates that add features, by migrations, to services with edits and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.projects import Project, Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from tests.updates import owner
from tests.updates.deployments import log_in


@dataclass(frozen=True)
class Addition:
    """The answers that an update changes, and what they need."""

    answers: Mapping[str, Any]
    migrations: Sequence[str]  # that the update adds
    settings: Mapping[str, str] = field(default_factory=dict)


MAIL = {"mail_from": "noreply@example.org", "frontend_url": "https://app.example.org"}
ADDITIONS = {
    "roles": Addition({}, ["roles"]),
    "api_keys": Addition({"api_keys": True}, ["roles", "api_keys"]),
    "mail": Addition({"mail": "smtp"}, ["roles", "mail"], MAIL),
    "rate_limits": Addition({"rate_limits": True}, ["roles", "rate_limits"]),
    "idempotency": Addition({"idempotency": True}, ["roles", "idempotency"]),
    "jobs": Addition({"jobs": "database"}, ["roles", "jobs"]),
    "mail and jobs": Addition(
        {"mail": "smtp", "jobs": "database"}, ["roles", "mail", "jobs"], MAIL
    ),
    "api_keys and mail": Addition(
        {"api_keys": True, "mail": "smtp"}, ["roles", "api_keys", "mail"], MAIL
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
    before = {"driver": driver, "structure": "layered", "auth": "jwt"}
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
        heads = alembic(service, url, "upgrade head", "check", "heads")
        assert heads.count("(head)") == 1
        assert owner.show(service, url) == rows
        with serving(service, url) as running:
            log_in(running, "ada")
            found = running.call("GET", "/api/v1/projects")["items"]
            assert {project["name"] for project in found} == {"Garden", "Pond 🐟"}
            assert running.call("GET", "/api/v1/labels") == ["urgent"]
    owner.make_labels_public(project)
    assert "passed" in service.uv_run("pytest", "-q", "--no-cov")
