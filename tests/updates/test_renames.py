"""A future release that renames files, and `hooks/rename.py`, which carries edits to them."""

import io
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import pytest
from copier.errors import UnsafeTemplateError

from harness.commands import succeed
from harness.parts import nightly
from harness.projects import NEXT, Project, Template, commit, git
from harness.rendering import COPIER, ROOT

# One worker runs all tests of this module, which share its fixtures.
pytestmark = pytest.mark.xdist_group("renames")

BEFORE = "9998.1.0"
LATER = "9999.1.0"
AGAIN = "10000.0.0"

RENAMES = {
    "app/core/slow_queries.py": "app/core/slow_statements.py",
    "app/sync_database.py": "app/sync.py",
    "tests/core/test_errors.py": "tests/core/test_problems.py",
    "tests/core/test_health.py": "tests/core/test_live.py",
    "tests/core/test_pagination.py": "tests/core/test_pages.py",
    "tests/core/test_pool.py": "tests/core/test_waiting.py",
    "tests/core/test_server.py": "tests/core/test_shutdown.py",
    "tests/core/test_transactions.py": "tests/core/test_commits.py",
    "docs/": "guide/",
}
MIGRATION = """\
  - version: "{version}"
    command:
      - "{{{{ _copier_python }}}}"
      - "{{{{ _copier_conf.src_path }}}}/hooks/rename.py"
      - "{{{{ _copier_conf.answers_file }}}}"
"""
OLD_IMAGE, NEW_IMAGE, MY_IMAGE = (b"\x89PNG\0" + name for name in (b"old", b"new", b"mine"))


def migration(version: str, renames: dict[str, str]) -> str:
    paths = "".join(f"      - {path}\n" for pair in renames.items() for path in pair)
    return MIGRATION.format(version=version) + paths


def add_migration(template: Template, version: str, renames: dict[str, str]) -> None:
    after = "# The answers of the last copy or update"
    template.replace("copier.yml", after, migration(version, renames) + after)


def rename(template: Template, old: str, new: str) -> None:
    """Rename the file of the template that renders to a path, or a folder of all its features."""
    renamed = False
    for tree in [template.folder / "template", *template.folder.glob("includes/features/*")]:
        for path in list((tree / Path(old).parent).glob("*")):
            if re.sub(r"{%.*?%}|\.jinja$", "", path.name) == Path(old).name:
                name = path.name.replace(Path(old).name, Path(new).name)
                path.rename(tree / Path(new).with_name(name))
                renamed = True
    assert renamed, old


def set_docstring(path: Path, line: str) -> None:
    """Replace the docstring, which is the first line of a rendered file."""
    path.write_text(re.sub(r'^""".*"""$', line, path.read_text(), count=1, flags=re.MULTILINE))


def append(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line + b"\n")


@pytest.fixture(scope="module")
def renaming(upstream: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Four releases: old names, new names, a small change, and another rename."""
    template = upstream.copy(tmp_path_factory.mktemp("renaming") / "template")
    rendered = template.folder / "template"
    for name in ("schema.png", "logo.png"):
        (rendered / "docs" / name).write_bytes(OLD_IMAGE)
    template.release(BEFORE)
    for path in [*rendered.rglob("*"), *(template.folder / "includes").rglob("*")]:
        if path.is_file() and b"app.core.slow_queries" in path.read_bytes():
            path.write_text(
                path.read_text().replace("app.core.slow_queries", "app.core.slow_statements")
            )
    for old, new in RENAMES.items():
        rename(template, old, new)
    for changed in ("slow_statements", "test_problems", "test_live", "test_pages", "test_waiting"):
        (path,) = rendered.rglob(f"{changed}.py*")
        set_docstring(path, f'"""The template\'s {changed}."""')
    (rendered / "guide" / "logo.png").write_bytes(NEW_IMAGE)
    (rendered / "guide" / "links.md").write_text("The template's links.\n")
    add_migration(template, NEXT, RENAMES)
    template.release(NEXT)
    append(rendered / "guide" / "database.md.jinja", b"A last word.")
    template.release(LATER)
    rename(template, "app/core/slow_statements.py", "app/core/statements.py")
    # As hooks/README.md says, the entry of the first rename gets the newest name.
    template.replace("copier.yml", "- app/core/slow_statements.py", "- app/core/statements.py")
    add_migration(template, AGAIN, {"app/core/slow_statements.py": "app/core/statements.py"})
    template.release(AGAIN)
    return template


@pytest.fixture(scope="module")
def service(renaming: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with the old names. Tests change copies of it."""
    return Project.copy(renaming, tmp_path_factory.mktemp("service") / "service", BEFORE).folder


@pytest.fixture
def project(service: Path, tmp_path: Path) -> Project:
    return Project(shutil.copytree(service, tmp_path / "project"))


@pytest.fixture(scope="module")
def fresh(renaming: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy with the new names. Tests change copies of it."""
    return Project.copy(renaming, tmp_path_factory.mktemp("fresh") / "service", NEXT).folder


def update(project: Project, version: str, **options: Any) -> None:
    """Run `copier update --trust`."""
    with redirect_stderr(io.StringIO()):
        copier.run_update(
            project.folder, defaults=True, overwrite=True, unsafe=True, vcs_ref=version, **options
        )


@dataclass
class Carried:
    """An edited service after the update to the new names."""

    folder: Path
    status: int
    printed: str

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text().splitlines()

    def lines_before(self, name: str) -> list[str]:
        return git(self.folder, "show", f"HEAD:{name}").splitlines()


@pytest.fixture(scope="module")
def carried(service: Path, tmp_path_factory: pytest.TempPathFactory) -> Carried:
    folder = shutil.copytree(service, tmp_path_factory.mktemp("carried") / "service")
    append(folder / "app/core/slow_queries.py", b"MINE = 1")
    append(folder / "tests/core/test_errors.py", b"# Caf\xe9")
    (folder / "tests/core/test_errors.py").chmod(0o755)
    set_docstring(folder / "tests/core/test_pagination.py", '"""My pages."""')
    (folder / "tests/core/test_pool.py").unlink()
    append(folder / "tests/core/test_server.py", b"# My server.")
    (folder / "tests/core/test_shutdown.py").write_text("# Mine, long before.\n")
    (folder / "app/sync_database.py").write_text("# Mine: these answers render no such file.\n")
    append(folder / ".gitignore", b"test_transactions.py")
    git(folder, "rm", "--quiet", "--cached", "tests/core/test_transactions.py")
    append(folder / "docs/database.md", b"My chapter.")
    (folder / "docs/schema.png").write_bytes(MY_IMAGE)
    (folder / "docs/logo.png").write_bytes(MY_IMAGE)
    for mine in ("docs/more/notes.md", "docs/links.md", "docs/steps.md", "guide/steps.md"):
        (folder / mine).parent.mkdir(exist_ok=True)
        (folder / mine).write_text(f"{mine}, of mine.\n")
    commit(folder)
    command = [*COPIER, "update", "--trust", "--defaults", "-r", NEXT]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return Carried(folder, result.returncode, result.stdout + result.stderr)


def test_update_succeeds_and_lists_the_files_with_carried_edits(carried: Carried) -> None:
    assert carried.status == 0, carried.printed
    assert (
        "app/core/slow_statements.py has your changes of app/core/slow_queries.py."
        in carried.printed
    )
    assert "uv run alembic upgrade head" in carried.printed


def test_edits_are_merged_into_the_new_file(carried: Carried) -> None:
    new = ['"""The template\'s slow_statements."""']
    assert carried.lines("app/core/slow_statements.py") == [
        *new,
        *carried.lines_before("app/core/slow_queries.py")[1:],
    ]
    assert carried.lines("app/core/slow_statements.py")[-1] == "MINE = 1"
    assert not (carried.folder / "app/core/slow_queries.py").exists()


def test_mode_and_invalid_utf_8_are_kept(carried: Carried) -> None:
    path = carried.folder / "tests/core/test_problems.py"
    first, *_, last = path.read_bytes().splitlines()
    assert (first, last) == (b'"""The template\'s test_problems."""', b"# Caf\xe9")
    assert path.stat().st_mode & 0o777 == 0o755
    assert (carried.folder / "app/core/slow_statements.py").stat().st_mode & 0o111 == 0


def test_lines_that_both_changed_are_a_conflict_in_the_format_of_copier(carried: Carried) -> None:
    assert carried.lines("tests/core/test_pages.py") == [
        "<<<<<<< before updating",
        '"""My pages."""',
        "=======",
        '"""The template\'s test_pages."""',
        ">>>>>>> after updating",
        *carried.lines_before("tests/core/test_pagination.py")[1:],
    ]
    said = "tests/core/test_pages.py: you and the template changed the same; resolve the conflict."
    assert carried.printed.count(said) == 1
    staged = git(carried.folder, "show", ":1:tests/core/test_pages.py").splitlines()
    assert staged[0] == '"""Keyset pagination."""'
    ours = git(carried.folder, "show", ":2:tests/core/test_pages.py").splitlines()
    assert ours == carried.lines_before("tests/core/test_pagination.py")
    assert git(carried.folder, "show", ":3:tests/core/test_pages.py").startswith('"""The template')


def test_only_files_that_both_changed_are_conflicts(carried: Carried) -> None:
    # Copier itself reports the file that both added.
    conflicts = {"guide/logo.png", "tests/core/test_pages.py", "tests/core/test_shutdown.py"}
    assert Project(carried.folder).conflicts() == conflicts


def test_deleted_file_does_not_return_under_its_new_name(carried: Carried) -> None:
    assert not (carried.folder / "tests/core/test_waiting.py").exists()


def test_ignored_file_is_not_considered_deleted(carried: Carried) -> None:
    assert (carried.folder / "tests/core/test_commits.py").exists()


def test_no_edit_is_lost_to_the_owners_file_at_the_new_path(carried: Carried) -> None:
    assert carried.lines("tests/core/test_server.py") == carried.lines_before(
        "tests/core/test_server.py"
    )
    assert "# Mine, long before." in carried.lines("tests/core/test_shutdown.py")
    assert (
        "tests/core/test_server.py stays, because tests/core/test_shutdown.py is" in carried.printed
    )


def test_file_that_the_answers_do_not_render_is_left_alone(carried: Carried) -> None:
    before = carried.lines_before("app/sync_database.py")
    assert carried.lines("app/sync_database.py") == before
    assert not (carried.folder / "app/sync.py").exists()


def test_binary_file_that_one_side_changed_is_that_version(carried: Carried) -> None:
    guide = carried.folder / "guide"
    assert (guide / "schema.png").read_bytes() == MY_IMAGE
    # Both changed it: a conflict, with the owner's version until it is resolved.
    assert (guide / "logo.png").read_bytes() == MY_IMAGE


def test_renamed_folder_keeps_edits_and_files_of_the_owner(carried: Carried) -> None:
    assert carried.lines("guide/database.md")[-1] == "My chapter."
    assert carried.lines("guide/more/notes.md") == ["docs/more/notes.md, of mine."]
    # Existing files are not overwritten.
    assert carried.lines("guide/links.md") == ["The template's links."]
    assert carried.lines("guide/steps.md") == ["guide/steps.md, of mine."]
    assert {p.name for p in (carried.folder / "docs").iterdir()} == {"links.md", "steps.md"}


def test_project_without_edits_equals_a_fresh_copy(project: Project, fresh: Path) -> None:
    update(project, NEXT)
    assert project.conflicts() == set()
    compared = subprocess.run(
        ["diff", "--recursive", "--brief", "--exclude=.git", fresh, project.folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (compared.returncode, compared.stdout) == (0, "")


@pytest.mark.nightly
def test_service_in_a_folder_of_a_shallow_clone_keeps_its_edits(
    renaming: Template, tmp_path: Path
) -> None:
    company = tmp_path / "company"
    service, answers_file = company / "services" / "stock", ".copier-answers.stock.yml"
    copier.run_copy(
        str(renaming.folder),
        service,
        answers_file=answers_file,
        data={"structure": "by_feature", "sync_session": True},
        defaults=True,
        quiet=True,
        vcs_ref=BEFORE,
    )
    commit(company)
    append(service / "app/core/slow_queries.py", b"MINE = 1")
    append(service / "app/sync_database.py", b"MINE = 1")
    set_docstring(service / "tests/core/test_pagination.py", '"""My pages."""')
    commit(company)
    git(tmp_path, "clone", "--quiet", "--depth=1", company.as_uri(), "clone")
    project = Project(tmp_path / "clone" / "services" / "stock")
    update(project, LATER, answers_file=answers_file, conflict="rej")
    for name in ("core/slow_statements", "sync"):
        assert (project.folder / f"app/{name}.py").read_text().endswith("MINE = 1\n")
    assert project.conflicts() == {"services/stock/tests/core/test_pages.py"}
    assert not (project.folder / "app/core/slow_queries.py").exists()
    # Copier wrote .rej files for the deleted files before their edits were carried.
    assert list(project.folder.rglob("*.rej")) == []


def test_update_without_trust_is_refused_and_writes_nothing(project: Project) -> None:
    with pytest.raises(UnsafeTemplateError, match="migrations"):
        project.update()
    assert project.changed() == set()


@pytest.mark.parametrize("subfolder", [nightly(""), "services/stock"])
def test_rename_without_trust_works_as_documented(
    service: Path, tmp_path: Path, subfolder: str
) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(service, repository / subfolder, ignore=shutil.ignore_patterns(".git"))
    project = Project(repository / subfolder)
    append(project.folder / "app/core/slow_queries.py", b"MINE = 1")
    commit(repository)
    (block,) = re.findall(
        r"```shell\n([^`]*git apply[^`]*)```", (ROOT / "hooks" / "README.md").read_text()
    )
    script = block.replace("uvx copier", f"{sys.executable} -m copier").replace("2.0.0", NEXT)
    succeed("bash", "-euo", "pipefail", "-c", script, cwd=project.folder)
    statements = (project.folder / "app/core/slow_statements.py").read_text()
    assert statements.startswith('"""The template')
    assert statements.endswith("MINE = 1\n")
    assert not (project.folder / "app/core/slow_queries.py").exists()
    assert f"_commit: {NEXT}" in (project.folder / ".copier-answers.yml").read_text()


def test_fresh_copy_and_later_updates_need_no_trust(fresh: Path, tmp_path: Path) -> None:
    assert not (fresh / "hooks").exists()
    project = Project(shutil.copytree(fresh, tmp_path / "project"))
    append(project.folder / "app/core/slow_statements.py", b"MINE = 1")
    project.commit()
    printed = project.update(LATER)
    assert "Running task" not in printed
    assert project.changed() == {".copier-answers.yml", "guide/database.md"}


@pytest.mark.nightly
def test_file_that_is_renamed_twice_keeps_its_edits(project: Project) -> None:
    append(project.folder / "app/core/slow_queries.py", b"MINE = 1")
    project.commit()
    update(project, AGAIN)
    assert (project.folder / "app/core/statements.py").read_text().endswith("MINE = 1\n")


def test_wrong_arguments_and_an_unknown_version_are_errors_with_a_message(
    project: Project, tmp_path: Path
) -> None:
    hook = shutil.copytree(ROOT / "hooks", tmp_path / "other" / "hooks") / "rename.py"
    commit(tmp_path / "other")  # a repository without the version of the last update
    for arguments, said in (
        ([".copier-answers.yml", "app/core/pool.py"], "an old and a new path for each rename."),
        ([".copier-answers.yml", "docs", "guide"], "cannot be rendered, so no changes of yours"),
    ):
        command = [sys.executable, str(hook), *arguments]
        result = subprocess.run(
            command, cwd=project.folder, capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    assert project.changed() == set()
