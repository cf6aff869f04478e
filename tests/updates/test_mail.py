"""The update that adds mail, by a migration of services with accounts."""

import re
from pathlib import Path

import pytest

from harness import mailed_links
from harness.projects import Project, Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from harness.variants import Variant
from tests.updates.deployments import KEY, PASSWORD, from_releases, log_in, register, updated_copy

MAIL = {"mail_from": "noreply@example.org", "frontend_url": "https://app.example.org"}


@from_releases
def test_users_keep_their_accounts_when_mail_is_added_while_the_previous_release_serves(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, version: str, driver: str
) -> None:
    answers = Variant(driver, auth="jwt", examples=()).answers | {"mail": "none"}
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, answers, version, mail="smtp"
    )
    assert "migrations/versions/0003_mail.py         review it: it follows roles" in message
    assert "MAIL_FROM, FRONTEND_URL in .env" in message
    new = in_environment(project.folder)
    for name, value in MAIL.items():
        new.variables[name.upper()] = value
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url, secret_key=KEY) as previous:
            register(previous, "ada")
            alembic(new, url, "upgrade head", "check")
            log_in(previous, "ada")
            register(previous, "bob")
        with serving(new, url, secret_key=KEY) as following:
            for name in ("ada", "bob"):
                log_in(following, name)
            body = {"email": "ada@example.org"}
            following.call("POST", "/api/v1/auth/password/forgot", body, status=202)
            body = {"email": "new@example.org", "current_password": PASSWORD}
            following.call("PATCH", "/api/v1/users/me", body)
            mailed_links.register(following, "eve@example.org")
            following.stop()
        # Development logs mails.
        assert len(re.findall(r"/reset-password#token=\S+", following.log)) == 1
        [of_change] = re.findall(r"/confirm-email#token=(\S+)", following.log)
        [of_registration] = re.findall(r"/verify#token=(\S+)", following.log)
        with serving(new, url, secret_key=KEY) as again:
            log_in(again, "bob")
            body = {"token": of_change}
            changed = again.call("POST", "/api/v1/auth/email/confirm", body)
            assert changed["email"] == "new@example.org"
            account = mailed_links.verify(again, of_registration, KEY)
            assert account["email"] == "eve@example.org"
        alembic(new, url, "downgrade roles", "upgrade head", "check")
        with serving(old, url, secret_key=KEY) as rolled_back:
            log_in(rolled_back, "ada")


@pytest.mark.nightly
def test_service_without_accounts_gets_accounts_and_mail_in_one_migration(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", examples=[])
    message = project.update(auth="jwt", mail="smtp")
    assert message.count("review it: it follows") == 1
    migration = (project.folder / "migrations/versions/0002_accounts.py").read_text()
    assert '"one_time_tokens"' in migration
