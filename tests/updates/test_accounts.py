"""Updates that add accounts, and the owners that existing rows get."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from harness.issuers import issuing
from harness.projects import Project, Template
from harness.running import Running, alembic, database, run_in, serving, settings
from harness.services import UV, InEnvironment, Service
from harness.variants import DRIVERS, FAMILIES, ONE_EACH, Variant
from tests.updates import owner
from tests.updates.deployments import PASSWORD, log_in, register

ACCOUNT = {"owner_email": "Ada@example.org", "owner_password": PASSWORD}
LAYERED = Variant("aiosqlite", "layered")
MIGRATION = "migrations/versions/0002_accounts.py"
SECRET_KEY = {"SECRET_KEY": "development-secret-of-the-tests-alone"}
NEW_SETTINGS = {
    "jwt": SECRET_KEY,
    "session": SECRET_KEY,
    "oidc": {"OIDC_ISSUER": "http://127.0.0.1:1", "OIDC_AUDIENCE": "service"},
}


@contextmanager
def accounts_added(
    upstream: Template,
    folder: Path,
    in_environment: InEnvironment,
    variant: Variant,
    existing_rows: str,
    auth: str = "jwt",
    version: str = "1.0.0",
) -> Iterator[tuple[Project, Service, str, Any]]:
    """A service with edits and rows after an update that adds accounts; and the rows before it."""
    project = Project.copy(upstream, folder, version, **variant.answers)
    owner.make_additions(project, "layered")
    service = in_environment(project.folder)
    # With two databases, on the one of production.
    kind = [FAMILIES[variant.driver]] if variant.sqlite_in_development else []
    with database(service, *kind) as url:
        rows = owner.settle(project, service, url)
        [newest] = re.findall(r"(\w+) \(head\)", alembic(service, url, "heads"))
        message = project.update(auth=auth, existing_rows=existing_rows)
        assert f"_accounts.py review it: it follows {newest}, and assigns" in message
        for name, value in NEW_SETTINGS[auth].items():
            assert name in re.findall(r"(\w+)(?=.* in .env)", message)
            owner.append(project, ".env", f"{name}={value}\n")
        owner.rename_httpx(project, message)
        service = in_environment(project.folder)
        yield project, service, url, rows


def upgrade(service: Service, url: str, **environment: str) -> None:
    variables = settings(url, environment)
    service.succeed(UV, "run", "--no-sync", "alembic", "upgrade", "head", **variables)


def names_of_projects(running: Running) -> set[str]:
    """The names of the projects that the user sees who is logged in."""
    return {project["name"] for project in running.call("GET", "/api/v1/projects")["items"]}


def projects_of_ada(service: Service, url: str) -> set[str]:
    with serving(service, url) as running:
        log_in(running, "ada")
        return names_of_projects(running)


def test_rows_go_to_the_account_in_the_environment(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    without_accounts: Variant,
    suite: list[str],
) -> None:
    with accounts_added(
        upstream, tmp_path / "project", in_environment, without_accounts, "one_account"
    ) as made:
        project, service, url, rows = made
        assert project.conflicts() == set()
        assert set(owner.lost_edits(project, "layered")) == owner.NOT_DELETED
        # Refused before any change, also where DDL cannot be rolled back.
        for _ in range(2):
            refused = run_in(service, url, "alembic", "upgrade", "head")
            assert "Existing rows need an owner: set OWNER_EMAIL" in refused.stdout
        upgrade(service, url, **ACCOUNT)
        assert alembic(service, url, "check", "heads").count("(head)") == 1
        assert owner.show(service, url) == rows
        assert projects_of_ada(service, url) == {"Garden", "Pond 🐟"}
    # The suite reports the owner's endpoints that need no token, or ignore who owns a project.
    add_endpoint_of_a_project(project)
    found = service.uv_run_failing("pytest", "-q", "--tb=line", "tests/test_authorization.py")
    for message in (
        "GET /api/v1/labels without a login: 200",
        "POST /api/v1/labels/{name}: which row does /api/v1/labels/{name} refer to?",
        'GET /api/v1/labels/of/{project_id} with {project_id} of another user: 200 "Garden"',
    ):
        assert message in found
    check_users(project)
    assert "passed" in service.uv_run("pytest", "-q", *suite)


ROUTER = 'labels_router = APIRouter(tags=["labels"])\n'
ENDPOINT = """

@labels_router.get("/labels/of/{project_id}")
async def get_label(session: ReadSession, project_id: UUID) -> str | None:
    return await session.scalar(select(Project.name).where(Project.id == project_id))
"""


def add_endpoint_of_a_project(project: Project) -> None:
    name = "app/api/labels.py"
    project.replace(name, ROUTER, ROUTER + ENDPOINT)
    project.replace(name, "import Label\n", "import Label, Project\n")
    project.replace(
        name,
        "\nfrom fastapi import APIRouter\n",
        "\nfrom uuid import UUID\n\nfrom fastapi import APIRouter\n",
    )


def check_users(project: Project) -> None:
    """Do what the messages of the tests say."""
    name = "app/api/labels.py"
    project.replace(name, ROUTER, ROUTER.replace(")", ", responses=problems(401, 404))"))
    project.replace(name, "(session: Session, name", "(_: CurrentUser, session: Session, name")
    project.replace(name, "(session: ReadSession)", "(_: CurrentUser, session: ReadSession)")
    project.replace(
        name,
        "(session: ReadSession, project_id: UUID) -> str | None:\n"
        "    return await session.scalar(select(Project.name).where(Project.id == project_id))\n",
        "(user: CurrentUser, session: ReadSession, project_id: UUID) -> str:\n"
        "    return (await crud.get_project(session, user.id, project_id)).name\n",
    )
    project.replace(
        name,
        "\nfrom app.database",
        "\nfrom app.auth import CurrentUser\nfrom app.core.errors import problems\n"
        "from app.crud import projects as crud\nfrom app.database",
    )
    values = "PUBLIC_VALUES: dict[str, Any] = {\n"
    project.replace("tests/authorization.py", values, f'{values}    "name": "urgent",\n')


@pytest.mark.nightly
def test_rows_go_to_the_user_of_an_identity_provider_in_the_environment(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment
) -> None:
    with accounts_added(
        upstream, tmp_path / "project", in_environment, LAYERED, "one_account", "oidc"
    ) as made:
        project, service, url, rows = made
        assert project.conflicts() == set()
        refused = run_in(service, url, "alembic", "upgrade", "head")
        assert "Existing rows need an owner: set OWNER_ISSUER to OIDC_ISSUER" in refused.stdout
        upgrade(service, url, owner_issuer="http://127.0.0.1:1", owner_subject="auth0|ada")
        assert alembic(service, url, "check", "heads").count("(head)") == 1
        assert owner.show(service, url) == rows
        owners = "SELECT DISTINCT issuer, subject FROM projects JOIN users ON owner_id = users.id"
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            found = connection.execute(owners).fetchall()
        assert found == [("http://127.0.0.1:1", "auth0|ada")]
        alembic(service, url, "downgrade accounts-1")
    add_endpoint_of_a_project(project)
    check_users(project)
    files = (f"tests/test_{name}.py" for name in ("users", "labels", "authorization"))
    assert "passed" in service.uv_run("pytest", "-q", *files)


@pytest.mark.nightly
def test_rows_go_to_the_accounts_that_the_migration_names(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment
) -> None:
    with accounts_added(upstream, tmp_path / "project", in_environment, LAYERED, "by_hand") as made:
        project, service, url, rows = made
        refused = run_in(service, url, "alembic", "upgrade", "head")
        [migration] = [name for name in project.changed() if name.endswith("_accounts.py")]
        assert f"Write into {migration} which account gets which rows." in refused.stdout
        project.replace(
            migration,
            "    # Delete this line when you have written `give_owners`.\n"
            "    raise RuntimeError(\n"
            f'        "Write into {migration} which account gets which rows."\n'
            "    )\n",
            "",
        )
        project.replace(
            migration,
            '        connection.execute(table.update().values(owner_id=owner["id"]))\n',
            '        connection.execute(table.update().values(owner_id=owner["id"]))\n'
            "    bob = owner | {'id': uuid7(), 'email': 'bob@example.org'}\n"
            "    connection.execute(USERS.insert().values(bob))\n"
            "    garden = sa.text(\"UPDATE projects SET owner_id = :id WHERE name = 'Garden'\")\n"
            "    connection.execute(garden, {'id': bob['id'].hex})\n",
        )
        upgrade(service, url, **ACCOUNT)
        alembic(service, url, "check")
        assert owner.show(service, url) == rows
        assert projects_of_ada(service, url) == {"Pond 🐟"}


@pytest.mark.nightly
@pytest.mark.parametrize("auth", NEW_SETTINGS)
@pytest.mark.parametrize(
    ("version", "driver"), [*product(["1.0.0"], DRIVERS), *product(["2.4.0"], ONE_EACH)]
)
def test_rows_go_to_one_user_of_each_kind_of_accounts(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    version: str,
    driver: str,
    auth: str,
) -> None:
    variant = Variant(driver, "layered")
    folder = tmp_path / "project"
    with (
        accounts_added(
            upstream, folder, in_environment, variant, "one_account", auth, version
        ) as made,
        ExitStack() as stack,
    ):
        project, service, url, rows = made
        assert project.conflicts() == set()
        assert set(owner.lost_edits(project, "layered")) == owner.NOT_DELETED
        issuer = stack.enter_context(issuing(service)) if auth == "oidc" else None
        of_issuer = {"owner_issuer": issuer.url, "owner_subject": "ada"} if issuer else {}
        upgrade(service, url, **of_issuer or ACCOUNT)
        assert alembic(service, url, "check", "heads").count("(head)") == 1
        assert owner.show(service, url) == rows
        with serving(service, url, **issuer.settings if issuer else {}) as running:
            if not issuer:
                register(running, "eve")
            for name, projects in (("ada", {"Garden", "Pond 🐟"}), ("eve", set())):
                if issuer:
                    running.client.headers["Authorization"] = f"Bearer {issuer.token(name)}"
                else:
                    log_in(running, name)
                assert names_of_projects(running) == projects
    owner.make_labels_public(project)
    assert "passed" in service.uv_run("pytest", "-q", "--no-cov")


def test_service_without_examples_is_not_asked_for_owners(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", examples=[])
    message = project.update(auth="jwt", api_keys=True, mail="smtp", rate_limits=True)
    assert f"{MIGRATION}     review it: it follows 0001\n" in message
    assert "0003_api_keys.py     review it: it follows accounts\n" in message
    assert "0004_rate_limits.py  review it: it follows api_keys\n" in message
    assert message.count("review it: it follows") == 3
    migration = (project.folder / MIGRATION).read_text()
    assert migration.startswith('"""Accounts."""\n')
    assert '"one_time_tokens"' in migration  # of mail


@pytest.mark.nightly
def test_service_without_rows_needs_no_owner(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment
) -> None:
    examples = ("projects", "measurements", "assistant")
    variant = Variant("aiosqlite", "by_feature", examples=examples)
    project = Project.copy(upstream, tmp_path / "project", "1.0.0", **variant.answers)
    project.update(auth="jwt")
    owner.append(project, ".env", "SECRET_KEY=development-secret-of-the-tests-alone\n")
    service = in_environment(project.folder)
    with database(service) as url:
        alembic(service, url, "upgrade head", "check", "downgrade 0001", "upgrade head", "check")


def test_later_updates_keep_the_migration_and_do_not_ask_again(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", "2.0.0")
    project.update(auth="jwt")
    migration = (project.folder / MIGRATION).read_text()
    answers = (project.folder / ".copier-answers.yml").read_text()
    assert "existing_rows" not in answers
    assert "newest_migration" not in answers
    project.commit()
    project.update(description="Another sentence.")
    assert (project.folder / MIGRATION).read_text() == migration
    assert MIGRATION not in project.changed()
