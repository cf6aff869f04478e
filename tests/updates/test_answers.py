"""Updates that change an answer: what they refuse, add and leave alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from plumbum import local

from harness.parts import nightly
from harness.projects import WORK_TREE, Project, Template
from harness.services import InEnvironment
from harness.variants import Variant
from tests.updates import owner


@pytest.mark.parametrize(
    ("made_with", "changed", "message"),
    [
        (
            {"structure": "layered"},
            {"structure": "flat"},
            "An update cannot change the structure (layered)",
        ),
        ({"auth": "jwt"}, {"auth": "none"}, "An update cannot remove them"),
        nightly({"auth": "oidc"}, {"auth": "none"}, "An update cannot remove them"),
        nightly({"auth": "oidc"}, {"auth": "jwt"}, "An update cannot change the authentication"),
        ({"auth": "jwt"}, {"auth": "oidc"}, "An update cannot change the authentication"),
        *(
            nightly(
                {"auth": auth, "api_keys": True},
                {"api_keys": False},
                "Their table has rows: answer yes.",
            )
            for auth in ("jwt", "oidc")
        ),
        nightly(
            {"auth": "jwt"},
            {"api_keys": True, "driver": "asyncpg"},
            "Add keys, then switch database.",
        ),
        nightly(
            {"auth": "jwt", "mail": "smtp"},
            {"mail": "none"},
            "An update cannot remove that: users rely on links",
        ),
        nightly(
            {"auth": "jwt"},
            {"mail": "smtp", "driver": "asyncpg"},
            "Add mail, migrate, then update again",
        ),
        nightly({"rate_limits": True}, {"rate_limits": False}, "Their table has rows: answer yes."),
        nightly({"idempotency": True}, {"idempotency": False}, "Their table has rows: answer yes."),
        nightly(
            {},
            {"idempotency": True, "driver": "asyncpg"},
            "Add them, then switch database.",
        ),
        nightly(
            {},
            {"rate_limits": True, "driver": "asyncpg"},
            "Add limits, then switch database.",
        ),
        nightly({"auth": "session"}, {"auth": "none"}, "An update cannot remove them"),
        nightly({"auth": "jwt"}, {"auth": "session"}, "cannot change the authentication (jwt)"),
        nightly({"auth": "session"}, {"auth": "jwt"}, "cannot change the authentication (session)"),
        ({}, {"auth": "jwt", "driver": "asyncpg"}, "Add accounts, migrate, then update again"),
        (
            {"driver": "aiomysql"},
            {"examples": ["projects", "assistant"], "driver": "psycopg"},
            "Add examples, then switch database",
        ),
    ],
)
def test_answer_that_cannot_change_is_refused_with_a_message(
    upstream: Template,
    tmp_path: Path,
    made_with: dict[str, Any],
    changed: dict[str, Any],
    message: str,
) -> None:
    project = Project.copy(upstream, tmp_path / "project [2]", **made_with)
    with pytest.raises(ValueError, match="Validation error") as refused:
        project.update(**changed)
    assert message in str(refused.value)
    assert project.changed() == set()


@pytest.mark.parametrize(
    "structure",
    [
        "flat",
        nightly("layered"),
        nightly("by_feature"),
    ],
)
def test_deselected_example_stays_and_belongs_to_the_owner(
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
    assert "Updates no longer change the files of these examples: projects." in message
    assert answers(project)["examples"] == ["measurements"]
    project.commit()
    # Later updates do not know that it was selected, and leave it alone too.
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


def test_added_example_needs_a_migration_of_the_owner(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    sample: list[str],
) -> None:
    variant = Variant("aiosqlite", examples=())
    project = Project.copy(upstream, tmp_path / "project", **variant.answers)
    service = in_environment(project.folder)
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
    assert "passed" in service.uv_run("pytest", "-q", *sample)


@pytest.mark.parametrize(
    ("version", "structure", "conflicts"),
    [
        # With all endpoints in one file, both add imports in the same line.
        (WORK_TREE, "flat", {"app/api.py"}),
        # The update to 2.0.0 merges imports by name.
        nightly("1.0.0", "layered", set()),
        nightly("1.0.0", "flat", set()),
        nightly("1.0.0", "by_feature", set()),
    ],
)
def test_added_example_is_merged_with_additions_of_the_owner(
    upstream: Template, tmp_path: Path, version: str, structure: str, conflicts: set[str]
) -> None:
    project = Project.copy(upstream, tmp_path / "project", version, structure=structure)
    owner.make_additions(project, structure)
    project.commit()
    project.update(examples=["projects", "measurements", "assistant"])
    assert project.conflicts() == conflicts
    assert set(owner.lost_edits(project, structure)) == owner.NOT_DELETED


@pytest.mark.parametrize(
    ("on", "off", "file"),
    [
        ({"dev_database": "sqlite"}, {"dev_database": "same"}, "app/core/sqlite.py"),
        nightly({"sync_session": True}, {"sync_session": False}, "app/sync_database.py"),
        nightly({"devcontainer": True}, {"devcontainer": False}, ".devcontainer/devcontainer.json"),
        ({"telemetry": "opentelemetry"}, {"telemetry": "none"}, "app/core/telemetry.py"),
        nightly(
            {"deploy": ["systemd"]}, {"deploy": []}, "deploy/systemd/my-service-migrate.service"
        ),
        nightly({"driver": "aiomysql"}, {"driver": "asyncpg"}, None),
    ],
)
def test_answer_that_is_changed_and_changed_back_leaves_no_trace(
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


def test_message_lists_the_settings_that_the_new_answers_need(
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
        nightly({"driver": "asyncpg"}, {"driver": "psycopg"}, None),
        nightly({"driver": "asyncpg"}, {"driver": "aiosqlite"}, SQLITE),
        nightly({"driver": "asyncpg"}, {"dev_database": "sqlite"}, SQLITE),
        nightly(
            {"driver": "asyncpg", "dev_database": "sqlite"}, {"dev_database": "same"}, POSTGRESQL
        ),
        nightly({"driver": "aiomysql", "dev_database": "sqlite"}, {"driver": "asyncpg"}, None),
    ],
)
def test_message_names_the_new_development_database(
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
    # git ignores the old database: it is neither committed nor deleted when the update is undone.
    assert "my_service.db" not in project.changed()


@pytest.mark.parametrize(
    ("version", "name", "package", "database"),
    [
        # A copy of this name now has others, with which MySQL works.
        ("2.2.0", "Root", "root", "root"),
        nightly(WORK_TREE, "Root", "root-service", "service_root"),
    ],
)
def test_package_user_and_database_keep_their_names(
    upstream: Template, tmp_path: Path, version: str, name: str, package: str, database: str
) -> None:
    """Also if the service gets another name: rows and access tokens depend on them."""
    project = Project.copy(
        upstream, tmp_path / "project", version, service_name=name, driver="aiomysql", auth="jwt"
    )
    named = ["pyproject.toml", "compose.yaml", ".env", ".env.example", "app/core/tokens.py"]
    lines = {
        path: [
            line
            for line in (project.folder / path).read_text().splitlines()
            if re.search(rf"\b({package}|{database})\b", line)
        ]
        for path in named
    }
    assert all(lines.values())
    for answers in ({}, {"service_name": "Stock Keeper"}):
        project.update(**answers)
        project.commit()
        for path, expected in lines.items():
            assert set(expected) <= set((project.folder / path).read_text().splitlines())
            assert "stock_keeper" not in (project.folder / path).read_text()
    assert "Stock Keeper" in (project.folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("structure", "written"),
    [
        ("flat", "layered"),
        nightly("flat", "by_feature"),
        nightly("layered", "flat"),
        nightly("layered", "by_feature"),
        nightly("by_feature", "flat"),
        nightly("by_feature", "layered"),
    ],
)
def test_structure_that_was_edited_before_answers_had_a_checksum_is_refused_with_a_message(
    upstream: Template, tmp_path: Path, structure: str, written: str
) -> None:
    project = Project.copy(upstream, tmp_path / "project [2]", "2.2.0", structure=structure)
    project.replace(".copier-answers.yml", f"structure: {structure}", f"structure: {written}")
    project.commit()
    with pytest.raises(ValueError, match=f"have the structure {structure}, not {written}"):
        project.update()
    assert project.changed() == set()


def test_answers_that_were_edited_by_hand_are_refused_with_a_message(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", driver="asyncpg")
    file = project.folder / ".copier-answers.yml"
    unedited = file.read_text()
    for old, new in (
        ("structure: flat", "structure: layered"),
        ("driver: asyncpg", "driver: psycopg"),
        ("database_name: my_service", "database_name: other"),
    ):
        assert old in unedited
        file.write_text(unedited.replace(old, new))
        project.commit()
        with pytest.raises(ValueError, match="was edited by hand"):
            project.update()
        assert project.changed() == set()
    # As after a merge of two updates.
    file.write_text(re.sub(r"checksum: .+\n", "", unedited))
    project.commit()
    project.update()
    assert file.read_text() == unedited


def test_message_lists_no_setting_that_existed(upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(upstream, tmp_path / "project", "2.0.0", auth="jwt")
    message = project.update()
    assert ".env" not in message
    assert "tools/transfer.py" not in message
    assert "accounts.py" not in message


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("gh:owner/name", "https://github.com/owner/name/compare/"),
        nightly("https://github.com/owner/name.git", "https://github.com/owner/name/compare/"),
        nightly("git@github.com:owner/name.git", "https://github.com/owner/name/compare/"),
        nightly("https://u:p@git.example.org/a/b.git", "https://git.example.org/a/b/compare/"),
        nightly("git+https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c/-/compare/"),
    ],
)
def test_message_links_to_the_changes_of_the_template(
    upstream: Template, tmp_path: Path, source: str, link: str
) -> None:
    # The URLs that git replaces with the local template.
    urls = {
        "gh:owner/name": "https://github.com/owner/name.git",
        "git+https://gitlab.com/a/b/c": "https://gitlab.com/a/b/c",
    }
    fetched = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{upstream.folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": urls.get(source, source),
    }
    project = Project.copy(upstream, tmp_path / "project", "2.0.0")
    project.replace(".copier-answers.yml", str(upstream.folder), source)
    project.commit()
    with local.env(**fetched):
        assert f"{link}2.0.0...{WORK_TREE}\n" in project.update()
