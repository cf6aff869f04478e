"""Updates that change an answer: what they refuse, what they bring and what they leave alone."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.rendering import export, render
from tests.services import Service
from tests.variants import Variant

COPIER = [sys.executable, "-m", "copier"]
GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org"]


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """The template as a repository with one release."""
    template = export(tmp_path / "released")
    commit(template)
    subprocess.run([*GIT, "tag", "9999.0.0"], cwd=template, check=True)
    return template


def commit(folder: Path) -> None:
    """Commit all there is, in a repository that is made the first time."""
    subprocess.run([*GIT, "init", "--quiet"], cwd=folder, check=True)
    subprocess.run([*GIT, "add", "--all"], cwd=folder, check=True)
    subprocess.run([*GIT, "commit", "--quiet", "-m", "State"], cwd=folder, check=True)


def update(service: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COPIER, "update", "--defaults", *options],
        cwd=service,
        capture_output=True,
        text=True,
        check=False,
    )


def changed_files(service: Path) -> set[str]:
    command = ["git", "status", "--short", "--untracked-files=all"]
    status = subprocess.run(command, cwd=service, capture_output=True, text=True, check=True)
    return {line[3:] for line in status.stdout.splitlines()}


def test_structure_is_not_changed_by_an_update(released: Path, tmp_path: Path) -> None:
    service = render(released, tmp_path / "service", structure="layered")
    commit(service)
    result = update(service, "--data", "structure=flat")
    assert result.returncode != 0
    assert "was chosen when the service was made (layered)" in result.stderr
    assert changed_files(service) == set()


def test_driver_is_switched_by_an_update(released: Path, tmp_path: Path) -> None:
    service = render(released, tmp_path / "service", structure="layered")
    commit(service)
    result = update(service, "--data", "driver=asyncpg")
    assert result.returncode == 0, result.stderr
    assert "import asyncpg" in (service / "app" / "database.py").read_text()
    assert "uv run alembic upgrade head" in result.stderr


@pytest.mark.parametrize("structure", ["flat", "layered", "by_feature"])
def test_example_that_is_switched_off_is_handed_over(
    released: Path, tmp_path: Path, structure: str
) -> None:
    service = render(
        released, tmp_path / "service", structure=structure, examples=["projects", "measurements"]
    )
    models = {
        "flat": "models.py",
        "layered": "models/project.py",
        "by_feature": "projects/models.py",
    }
    edited = service / "app" / models[structure]
    edited.write_text(edited.read_text().replace("String(100)", "String(99)", 1))
    commit(service)
    result = update(service, "--data", "examples=[measurements]")
    assert result.returncode == 0, result.stderr
    assert changed_files(service) == {".copier-answers.yml"}
    assert "Yours now, and no longer updated: projects." in result.stderr
    answers = yaml.safe_load((service / ".copier-answers.yml").read_text())
    assert answers["examples"] == ["measurements"]
    assert "parts" not in answers
    commit(service)
    # The next update has forgotten that it was chosen, and leaves it alone as well.
    result = update(service, "--data", "description=Another sentence.")
    assert result.returncode == 0, result.stderr
    assert changed_files(service) == {
        ".copier-answers.yml",
        "README.md",
        "app/factory.py",
        "pyproject.toml",
    }
    assert "String(99)" in edited.read_text()


@pytest.mark.xdist_group("aiosqlite-none")
def test_example_that_is_switched_on_comes_with_a_migration_of_the_owner(
    released: Path, tmp_path: Path, installed: Callable[[Variant], Service]
) -> None:
    running = installed(Variant("aiosqlite", "flat", "none", ()))
    service = render(released, tmp_path / "mine", examples=[])
    running.folder = service
    commit(service)
    running.uv_run("alembic", "upgrade", "head")
    before = (service / "migrations" / "versions" / "0001_initial.py").read_text()
    result = update(service, "--data", "examples=[projects]")
    assert result.returncode == 0, result.stderr
    assert (service / "migrations" / "versions" / "0001_initial.py").read_text() == before
    assert "class Project(" in (service / "app" / "models.py").read_text()
    running.uv_run_failing("alembic", "check")
    running.uv_run("alembic", "revision", "--autogenerate", "-m", "Projects and tasks")
    running.uv_run("alembic", "upgrade", "head")
    assert "passed" in running.uv_run("pytest", "-q", "--cov", "-n", "2")


@pytest.mark.parametrize(
    ("answer", "file"),
    [("dev_database=sqlite", "app/sqlite.py"), ("sync_session=true", "app/sync_database.py")],
)
def test_further_answers_are_switched_on_and_off(
    released: Path, tmp_path: Path, answer: str, file: str
) -> None:
    service = render(released, tmp_path / "service", driver="asyncpg")
    commit(service)
    assert update(service, "--data", answer).returncode == 0
    assert (service / file).exists()
    commit(service)
    off = {"dev_database=sqlite": "dev_database=same", "sync_session=true": "sync_session=false"}
    assert update(service, "--data", off[answer]).returncode == 0
    fresh = render(released, tmp_path / "fresh", driver="asyncpg")
    for path in fresh.rglob("*"):
        if path.is_file() and path.name != ".copier-answers.yml":
            assert (service / path.relative_to(fresh)).read_text() == path.read_text()
    assert not (service / file).exists()
