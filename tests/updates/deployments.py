"""A service with accounts in two versions on one database, as during a deployment."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.parts import nightly
from harness.projects import WORK_TREE, Project, Template
from harness.running import Running, alembic, serving
from harness.services import InEnvironment, Service
from harness.variants import DRIVERS, ONE_EACH

PASSWORD = "correct horse battery staple"
KEY = "a secret that only the tests have"

from_releases = pytest.mark.parametrize(
    ("version", "driver"),
    [
        *(nightly("1.0.0", driver) for driver in ONE_EACH),
        *(nightly("2.4.0", driver) for driver in DRIVERS),
    ],
)


def updated_copy(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    answers: dict[str, Any],
    version: str = WORK_TREE,
    **changed: Any,
) -> tuple[Service, Project, str]:
    """A service of a version, its copy after an update, and the message of the update."""
    project = Project.copy(upstream, tmp_path / "project", version, **answers)
    old = in_environment(shutil.copytree(project.folder, tmp_path / "old"), "old")
    return old, project, project.update(**changed)


@contextmanager
def serving_previous(old: Service, url: str, auth: str) -> Iterator[Running]:
    """The previous version on an empty database; if it has accounts, a user is logged in."""
    alembic(old, url, "upgrade head")
    with serving(old, url) as previous:
        if auth != "none":
            register(previous, "ada")
            log_in(previous, "ada")
        yield previous


def register(running: Running, name: str) -> None:
    account = {"email": f"{name}@example.org", "name": name, "password": PASSWORD}
    running.call("POST", "/api/v1/auth/register", account, status=201)


def log_in(running: Running, name: str) -> None:
    """Log a user in by a token or, in a service without tokens, by a cookie."""
    client = running.client
    client.headers.pop("Cookie", None)  # of another user
    email = f"{name}@example.org"
    response = client.post("/api/v1/auth/token", data={"username": email, "password": PASSWORD})
    if response.status_code == 404:
        body = {"email": email, "password": PASSWORD}
        login = client.post("/api/v1/auth/login", json=body).raise_for_status()
        client.headers["Cookie"] = login.headers["Set-Cookie"].partition(";")[0]
        return
    assert response.status_code == 200, response.text
    client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def include_own_router(project: Project, module: str) -> None:
    """Add the `own_router` of a module to the application, as an owner does."""
    project.replace(
        "app/factory.py",
        "    app.include_router(health.router)\n",
        "    app.include_router(health.router)\n    app.include_router(own_router)\n",
    )
    project.replace(
        "app/factory.py",
        "\nfrom app.settings import Settings\n",
        f"\nfrom {module} import own_router\nfrom app.settings import Settings\n",
    )
