"""The update that gives users a role, by a migration of services that have accounts."""

import re
from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import Project, Template
from harness.running import alembic, database, serving, succeed_in
from harness.services import InEnvironment
from harness.variants import Variant
from tests.updates.deployments import KEY, from_releases, log_in, register, updated_copy


@from_releases
def test_users_become_members_while_the_previous_release_serves(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, version: str, driver: str
) -> None:
    answers = Variant(driver, auth="jwt", examples=()).answers
    old, project, message = updated_copy(upstream, tmp_path, in_environment, answers, version)
    assert "migrations/versions/0002_roles.py        review it: it follows 0001" in message
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url, secret_key=KEY) as previous:
            register(previous, "ada")
            alembic(new, url, "upgrade head", "check")
            log_in(previous, "ada")
            register(previous, "bob")
        run = ("python", "-m", "app.accounts")
        assert succeed_in(new, url, *run, "list-admins").endswith("No user has the role admin.\n")
        succeed_in(new, url, *run, "promote", "ada@example.org")
        with serving(new, url, secret_key=KEY) as following:
            log_in(following, "ada")
            users = following.call("GET", "/api/v1/users")["items"]
        assert {user["name"]: user["role"] for user in users} == {"ada": "admin", "bob": "member"}
        alembic(new, url, "downgrade 0001", "upgrade head", "check")
        with serving(old, url, secret_key=KEY) as rolled_back:
            log_in(rolled_back, "bob")


@pytest.mark.parametrize("driver", [nightly("asyncpg")])
def test_roles_follow_the_newest_migration_of_the_owner(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str
) -> None:
    project = Project.copy(
        upstream, tmp_path / "project", "2.4.0", driver=driver, auth="jwt", examples=[]
    )
    service = in_environment(project.folder)
    with database(service) as url:
        alembic(service, url, "upgrade head", "revision -m Mine", "upgrade head")
        [mine] = re.findall(r"(\w+) \(head\)", alembic(service, url, "heads"))
        project.commit()
        assert f"_roles.py review it: it follows {mine}" in project.update()
        service = in_environment(project.folder)
        alembic(service, url, "upgrade head", "check")
        output = service.uv_run("pytest", "-q", "tests/core/test_migration_safety.py")
        assert "1 passed" in output
    *_, newest = sorted(path.name for path in (project.folder / "migrations/versions").glob("*.py"))
    assert newest.endswith("_roles.py")


def test_database_is_not_switched_by_an_update_that_adds_roles(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", "2.4.0", auth="jwt")
    with pytest.raises(ValueError, match="Update with the same database, migrate, then switch"):
        project.update(driver="asyncpg")
    assert project.changed() == set()
