"""Updates that change an answer: what they refuse, what they bring and what they leave alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from plumbum import local

from harness.projects import WORK_TREE, Project, Template
from harness.services import Service
from harness.variants import Variant
from tests.updates import owner


@pytest.mark.parametrize(
    ("made_with", "wanted", "sentence"),
    [
        ({"structure": "layered"}, {"structure": "flat"}, "when the service was made (layered)"),
        ({"auth": "jwt"}, {"auth": "none"}, "and an update does not take them away"),
        ({}, {"auth": "jwt", "driver": "asyncpg"}, "Add accounts, run the migration, and switch"),
        (
            {"driver": "aiomysql"},
            {"examples": ["projects", "assistant"], "driver": "psycopg"},
            "Switch the database by the update after this one",
        ),
    ],
)
def test_answer_that_cannot_be_changed_is_refused_in_a_sentence(
    upstream: Template,
    tmp_path: Path,
    made_with: dict[str, str],
    wanted: dict[str, str],
    sentence: str,
) -> None:
    project = Project.copy(upstream, tmp_path / "project [2]", **made_with)
    with pytest.raises(ValueError, match="Validation error") as refused:
        project.update(**wanted)
    assert sentence in str(refused.value)
    assert project.changed() == set()


@pytest.mark.parametrize("structure", ["flat", "layered", "by_feature"])
def test_example_that_is_switched_off_is_handed_over(
    upstream: Template, tmp_path: Path, structure: str
) -> None:
    project = Project.copy(
        upstream, tmp_path / "project", structure=structure, examples=["projects", "measurements"]
    )
    models = {
        "flat": "models.py",
        "layered": "models/project.py",
        "by_feature": "projects/models.py",
    }
    edited = project.folder / "app" / models[structure]
    edited.write_text(edited.read_text().replace("String(100)", "String(99)", 1))
    project.commit()
    message = project.update(examples=["measurements"])
    assert project.changed() == {".copier-answers.yml"}
    assert "Yours now, and no longer updated: projects." in message
    assert answers(project)["examples"] == ["measurements"]
    project.commit()
    # The next update has forgotten that it was chosen, and leaves it alone as well.
    project.update(description="Another sentence.")
    assert project.changed() == {
        ".copier-answers.yml",
        "README.md",
        "app/factory.py",
        "pyproject.toml",
    }
    assert "String(99)" in edited.read_text()


def answers(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((project.folder / ".copier-answers.yml").read_text())
    return found


@pytest.mark.xdist_group("aiosqlite-none")
def test_example_that_is_switched_on_comes_with_a_migration_of_the_owner(
    upstream: Template,
    tmp_path: Path,
    in_environment: Callable[[Path, Variant], Service],
) -> None:
    variant = Variant("aiosqlite", examples=())
    project = Project.copy(upstream, tmp_path / "project", **variant.answers)
    service = in_environment(project.folder, variant)
    service.uv_run("alembic", "upgrade", "head")
    project.commit()
    before = (project.folder / "migrations" / "versions" / "0001_initial.py").read_text()
    message = project.update(examples=["projects"])
    assert (project.folder / "migrations" / "versions" / "0001_initial.py").read_text() == before
    assert "class Project(" in (project.folder / "app" / "models.py").read_text()
    assert 'uv run alembic revision --autogenerate -m "New tables"' in message
    service.uv_run_failing("alembic", "check")
    service.uv_run("alembic", "revision", "--autogenerate", "-m", "New tables")
    service.uv_run("alembic", "upgrade", "head")
    assert "passed" in service.uv_run("pytest", "-q", "--cov", "-n", "2")


@pytest.mark.parametrize(
    ("structure", "met"), [("flat", {"app/api.py"}), ("layered", set()), ("by_feature", set())]
)
def test_example_that_is_switched_on_comes_beside_what_the_owner_added(
    upstream: Template, tmp_path: Path, structure: str, met: set[str]
) -> None:
    project = Project.copy(upstream, tmp_path / "project", "1.0.0", structure=structure)
    owner.add(project, structure)
    project.commit()
    project.update(examples=["projects", "measurements", "assistant"])
    # Where all endpoints are in one file, both need more imports in the same line.
    assert project.conflicts() == met
    assert set(owner.edits_left(project, structure)) == owner.NOT_DELETED


@pytest.mark.parametrize(
    ("on", "off", "file"),
    [
        ({"dev_database": "sqlite"}, {"dev_database": "same"}, "app/sqlite.py"),
        ({"sync_session": True}, {"sync_session": False}, "app/sync_database.py"),
        ({"driver": "aiomysql"}, {"driver": "asyncpg"}, None),
    ],
)
def test_answer_that_is_switched_forth_and_back_leaves_no_trace(
    upstream: Template,
    tmp_path: Path,
    on: dict[str, Any],
    off: dict[str, Any],
    file: str | None,
) -> None:
    project = Project.copy(upstream, tmp_path / "project", driver="asyncpg")
    fresh = project.files()
    project.update(**on)
    assert project.files() != fresh
    assert file is None or (project.folder / file).exists()
    project.commit()
    project.update(**off)
    assert project.files() == fresh
    assert project.conflicts() == set()


def test_message_says_which_settings_the_new_answers_need(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project")
    message = project.update(auth="jwt", examples=["projects", "assistant"])
    for setting in ("SECRET_KEY in .env", "ASSISTANT_MODELS in .env"):
        assert setting in message
    assert "DATABASE_URL" not in message
    assert "tools/transfer.py" not in message


SQLITE, POSTGRESQL = "sqlite:///my_service.db", "postgresql://my_service:development@localhost"


@pytest.mark.parametrize(
    ("old", "new", "url"),
    [
        ({"driver": "aiosqlite"}, {"driver": "asyncpg"}, POSTGRESQL),
        ({"driver": "asyncpg"}, {"driver": "aiosqlite"}, SQLITE),
        ({"driver": "asyncpg"}, {"driver": "psycopg"}, None),
        ({"driver": "asyncpg"}, {"dev_database": "sqlite"}, SQLITE),
        ({"driver": "asyncpg", "dev_database": "sqlite"}, {"dev_database": "same"}, POSTGRESQL),
        ({"driver": "aiomysql", "dev_database": "sqlite"}, {"driver": "asyncpg"}, None),
    ],
)
def test_message_names_the_new_database_of_development(
    upstream: Template,
    tmp_path: Path,
    old: dict[str, str],
    new: dict[str, str],
    url: str | None,
) -> None:
    project = Project.copy(upstream, tmp_path / "project", **old)
    env = (project.folder / ".env").read_text()
    (project.folder / "my_service.db").write_text("rows")
    message = project.update(**new)
    if url is None:
        assert "DATABASE_URL" not in message
    else:
        assert f"DATABASE_URL in .env                     as .env.example has it: {url}" in message
        assert f"DATABASE_URL={url}" in (project.folder / ".env.example").read_text()
    assert (project.folder / ".env").read_text() == env
    # Nor is the old database committed, or cleaned away when the update is taken back.
    assert "my_service.db" not in project.changed()


def test_message_says_that_another_name_is_another_database(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", driver="asyncpg")
    message = project.update(service_name="Stock Keeper")
    assert "called stock_keeper now, and my_service until now" in message
    assert 'POSTGRES_DB: "stock_keeper"' in (project.folder / "compose.yaml").read_text()
    project.commit()
    assert "until now" not in project.update(service_name="Stock-keeper")


def test_message_names_no_setting_that_was_there(upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(upstream, tmp_path / "project", "1.0.0", auth="jwt")
    message = project.update()
    assert ".env" not in message
    assert "tools/transfer.py" not in message
    assert "0002_accounts.py" not in message


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("gh:owner/name", "https://github.com/owner/name/compare/"),
        ("https://github.com/owner/name.git", "https://github.com/owner/name/compare/"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name/compare/"),
        ("https://u:p@git.example.org/a/b.git", "https://git.example.org/a/b/compare/"),
        ("git+https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c/-/compare/"),
    ],
)
def test_message_links_to_what_changed_in_the_template(
    upstream: Template, tmp_path: Path, source: str, link: str
) -> None:
    # Git fetches these from here.
    urls = {
        "gh:owner/name": "https://github.com/owner/name.git",
        "git+https://gitlab.com/a/b/c": "https://gitlab.com/a/b/c",
    }
    fetched = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{upstream.folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": urls.get(source, source),
    }
    project = Project.copy(upstream, tmp_path / "project", "1.0.0")
    project.replace(".copier-answers.yml", str(upstream.folder), source)
    project.commit()
    with local.env(**fetched):
        assert f"{link}1.0.0...{WORK_TREE}\n" in project.update()
