"""Files that one side deletes, adds or must not touch, and questions that a release adds."""

import shutil
from pathlib import Path

import yaml

from harness.projects import NEXT, Project, Template, commit, git, without_additions
from harness.variants import Variant
from tests.updates.future_releases import add_setting


def names(folder: Path) -> set[str]:
    """All files, including ignored ones."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def edit_all_files(project: Project) -> None:
    for name in names(project.folder) - {".copier-answers.yml"}:
        path = project.folder / name
        path.write_text(f"{path.read_text()}\n# mine: {name}\n")
    project.commit()


def vanished(project: Project) -> set[str]:
    """Edit all files and update; returns the files whose edits are in no file any more."""
    before = names(project.folder) - {".copier-answers.yml"}
    edit_all_files(project)
    project.update()
    texts = "".join((project.folder / name).read_text() for name in names(project.folder))
    return {name for name in before if f"# mine: {name}\n" not in texts}


def test_no_edit_vanishes(
    upstream: Template, tmp_path: Path, complete: Variant, version: str
) -> None:
    project = Project.copy(upstream, tmp_path / "project", version, **complete.answers)
    assert vanished(project) == set()


def test_file_that_a_release_excludes_stays_with_its_owner(
    own_upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(own_upstream, tmp_path / "project")
    own_upstream.replace("copier.yml", '  - "~*"\n', '  - "~*"\n  - app/core/slow_queries.py\n')
    (own_upstream.folder / "template" / "app" / "core" / "slow_queries.py").unlink()
    own_upstream.release(NEXT)
    assert vanished(project) == set()
    assert "# mine" in (project.folder / "app" / "core" / "slow_queries.py").read_text()


def test_file_that_a_release_deletes_without_excluding_it_vanishes(
    own_upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(own_upstream, tmp_path / "project")
    (own_upstream.folder / "template" / "app" / "core" / "slow_queries.py").unlink()
    (own_upstream.folder / "template" / ".env.jinja").unlink()
    own_upstream.release(NEXT)
    assert vanished(project) == {"app/core/slow_queries.py", ".env"}


def test_file_that_the_owner_deleted_stays_deleted(own_upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(own_upstream, tmp_path / "project")
    for name in ("compose.yaml", "Dockerfile", "tests/test_tasks.py"):
        (project.folder / name).unlink()
    project.commit()
    dockerfile = own_upstream.folder / "template" / "Dockerfile.jinja"
    dockerfile.write_text(f"# Changed.\n{dockerfile.read_text()}")
    add_setting(own_upstream)
    own_upstream.release(NEXT)
    project.update()
    assert project.changed() == {".copier-answers.yml", ".env.example", "app/settings.py"}
    assert project.conflicts() == set()


def test_secret_and_local_settings_are_kept(own_upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(own_upstream, tmp_path / "project", auth="jwt")
    env = project.folder / ".env"
    env.write_text(env.read_text() + "MINE=a secret\n")
    mine = env.read_text()
    own_upstream.replace("template/.env.jinja", "DEBUG=false\n", "DEBUG=true\n")
    add_setting(own_upstream)
    own_upstream.release(NEXT)
    project.update()
    assert env.read_text() == mine
    assert "MAINTENANCE=false" in (project.folder / ".env.example").read_text()


def test_new_question_gets_its_default_answer(own_upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(own_upstream, tmp_path / "project")
    question = "greeting:\n  type: str\n  help: How are callers greeted?\n  default: Hello\n\n"
    own_upstream.replace("copier.yml", "sync_session:\n", f"{question}sync_session:\n")
    greeting = own_upstream.folder / "template" / "GREETING.jinja"
    greeting.write_text("{{ greeting }}\n")
    own_upstream.release(NEXT)
    project.update()
    answers = yaml.safe_load((project.folder / ".copier-answers.yml").read_text())
    assert answers["greeting"] == "Hello"
    assert (project.folder / "GREETING").read_text() == "Hello\n"
    assert project.changed() == {".copier-answers.yml", "GREETING"}


def test_update_in_a_monorepo_changes_only_the_service(upstream: Template, tmp_path: Path) -> None:
    monorepo = tmp_path / "monorepo"
    for name in ("README.md", "app/models.py", "services/other/README.md"):
        (monorepo / name).parent.mkdir(parents=True, exist_ok=True)
        (monorepo / name).write_text("not of this service\n")
    commit(monorepo)
    fresh = Project.copy(upstream, tmp_path / "fresh")
    made = Project.copy(upstream, tmp_path / "made", "1.0.0")
    shutil.copytree(
        made.folder, monorepo / "services" / "mine", ignore=shutil.ignore_patterns(".git")
    )
    commit(monorepo)
    project = Project(monorepo / "services" / "mine")
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    commit(monorepo)
    project.update()
    changed = git(monorepo, "status", "--short", "--untracked-files=all").splitlines()
    assert changed
    assert all(line[3:].startswith("services/mine/") for line in changed)
    expected = dict(fresh.files())
    expected["README.md"] = expected["README.md"].replace(
        "An async API service.", "It keeps the plans of a garden."
    )
    assert project.files() == expected


def test_shallow_clone_keeps_its_edits(upstream: Template, tmp_path: Path) -> None:
    project = Project.copy(upstream, tmp_path / "project", "2.0.0")
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    project.commit()
    shallow = Project(tmp_path / "shallow")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{project.folder}", "shallow")
    shallow.update()
    project.update()
    assert shallow.conflicts() == set()
    assert shallow.files() == project.files()
    assert "It keeps the plans of a garden." in shallow.files()["README.md"]


def test_released_first_migration_does_not_change(
    upstream: Template, tmp_path: Path, version: str, migrated: Variant
) -> None:
    """Updates do not render it again, so later releases add their changes as new migrations."""
    first = "migrations/versions/0001_initial.py"
    old = Project.copy(upstream, tmp_path / "old", version, **migrated.answers)
    new = Project.copy(upstream, tmp_path / "new", **migrated.answers)
    released = old.files()[first]
    if version.startswith("1."):
        # The update to 2.0.0 rewrites its import.
        released = released.replace("from app.models import", "from app.core.models import")
    released_files = {**old.files(), first: released}
    assert without_additions(released_files)[first] == without_additions(new.files())[first]
