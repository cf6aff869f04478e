"""The update that adds API keys, by a migration."""

from pathlib import Path

import pytest

from harness.issuers import issuing
from harness.parts import nightly
from harness.projects import Project, Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from harness.variants import ONE_EACH, Variant
from tests.updates.deployments import KEY, from_releases, log_in, register, updated_copy


@from_releases
def test_api_keys_are_added_while_the_previous_release_serves(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, version: str, driver: str
) -> None:
    answers = Variant(driver, "layered", "jwt").answers
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, answers, version, api_keys=True
    )
    assert "migrations/versions/0003_api_keys.py     review it: it follows roles" in message
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url, secret_key=KEY) as previous:
            register(previous, "ada")
            alembic(new, url, "upgrade head", "check")
            log_in(previous, "ada")
            previous.call("POST", "/api/v1/projects", {"name": "Garden"}, status=201)
        with serving(new, url, secret_key=KEY) as following:
            log_in(following, "ada")
            body = {"name": "Import", "scopes": ["projects:read"]}
            key = following.call("POST", "/api/v1/api-keys", body, status=201)["key"]
            following.client.headers["Authorization"] = f"Bearer {key}"
            [project_read] = following.call("GET", "/api/v1/projects")["items"]
            assert project_read["name"] == "Garden"
            following.call("POST", "/api/v1/projects", {"name": "Pond"}, status=403)
        alembic(new, url, "downgrade roles", "upgrade head", "check")


@pytest.mark.parametrize("driver", [nightly(driver) for driver in ONE_EACH])
def test_api_keys_are_added_for_users_of_an_issuer_while_the_previous_release_serves(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str
) -> None:
    answers = Variant(driver, "layered", "oidc").answers
    old, project, message = updated_copy(upstream, tmp_path, in_environment, answers, api_keys=True)
    assert "migrations/versions/0002_api_keys.py     review it: it follows 0001" in message
    new = in_environment(project.folder)
    with database(new) as url, issuing(new) as issuer:
        token = issuer.token("ada")
        alembic(old, url, "upgrade head")
        with serving(old, url, **issuer.settings) as previous:
            previous.client.headers["Authorization"] = f"Bearer {token}"
            previous.call("POST", "/api/v1/projects", {"name": "Garden"}, status=201)
            alembic(new, url, "upgrade head", "check")
            previous.call("POST", "/api/v1/projects", {"name": "Pond"}, status=201)
        with serving(new, url, **issuer.settings) as following:
            following.client.headers["Authorization"] = f"Bearer {token}"
            body = {"name": "Import", "scopes": ["projects:read"]}
            key = following.call("POST", "/api/v1/api-keys", body, status=201)["key"]
            following.client.headers["Authorization"] = f"Bearer {key}"
            found = following.call("GET", "/api/v1/projects")["items"]
            assert {each["name"] for each in found} == {"Garden", "Pond"}
            following.call("POST", "/api/v1/projects", {"name": "Lawn"}, status=403)
        alembic(new, url, "downgrade 0001", "upgrade head", "check")


@pytest.mark.nightly
def test_service_without_accounts_gets_accounts_and_keys_in_one_update(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", examples=[])
    message = project.update(auth="jwt", api_keys=True)
    assert "0002_accounts.py     review it: it follows 0001\n" in message
    assert "0003_api_keys.py     review it: it follows accounts\n" in message
