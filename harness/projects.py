"""Releases of the template for tests, and projects that are updated to them."""

import io
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from contextlib import redirect_stderr
from hashlib import sha256
from pathlib import Path
from typing import Any

import copier

from harness.rendering import ROOT, export

# The versions of the work tree, and of the release that a test makes after it.
WORK_TREE = "9998.0.0"
NEXT = "9999.0.0"

GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.org")


def releases() -> dict[str, str]:
    """The commit of each released version, the oldest first."""
    return tomllib.loads((ROOT / "releases.toml").read_text())


def git(folder: Path, *arguments: str) -> str:
    command = (*GIT, *arguments)
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"git {' '.join(arguments)}\n{result.stdout}{result.stderr}"
    return result.stdout


def commit(folder: Path, message: str = "State") -> None:
    """Commit all files, in a repository that is created if there is none."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a text that occurs once in a file."""
    path = folder / name
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}"
    path.write_text(text.replace(old, new))


def write_migration(
    folder: Path, name: str, statement: str, *, revision: str = "0002", follows: str = "0001"
) -> Path:
    """Write a migration of a service that runs a statement, and return its file."""
    path = folder / "migrations" / "versions" / name
    path.write_text(
        f"""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{follows}"


def upgrade() -> None:
    {statement}
"""
    )
    return path


class Template:
    """A clone of this repository, with the released versions and the work tree as the newest.

    Its copies have these versions too, and `original` is the clone.
    """

    def __init__(self, folder: Path, original: "Template | None" = None) -> None:
        self.folder = folder
        self.original = original or self

    @classmethod
    def clone(cls, folder: Path) -> "Template":
        if git(ROOT, "rev-parse", "--is-shallow-repository").strip() == "true":
            raise AssertionError("Tests of updates need the history: run `git fetch --unshallow`.")
        git(ROOT, "clone", "--quiet", "--no-tags", str(ROOT), str(folder))
        for version, released in releases().items():
            git(folder, "tag", version, released)
        git(folder, "rm", "-r", "--quiet", ".")
        export(folder)
        template = cls(folder)
        template.release(WORK_TREE)
        return template

    def copy(self, folder: Path) -> "Template":
        """A copy that a test may change."""
        return Template(shutil.copytree(self.folder, folder, symlinks=True), self.original)

    def render(self, folder: Path, version: str, answers: Mapping[str, Any]) -> Path:
        """Run `copier copy` of a version."""
        copier.run_copy(
            str(self.folder),
            folder,
            data=dict(answers),
            defaults=True,
            unsafe=False,
            quiet=True,
            vcs_ref=version,
        )
        return folder

    def rendered(self, version: str, answers: Mapping[str, Any]) -> Path:
        """A version, rendered once for the same answers. Tests must not change it."""
        key = sha256(repr((version, sorted(answers.items()))).encode()).hexdigest()
        folder = self.folder.with_name(f"{self.folder.name}-rendered") / key
        return folder if folder.exists() else self.render(folder, version, answers)

    def replace(self, name: str, old: str, new: str) -> None:
        replace(self.folder, name, old, new)

    def release(self, version: str = NEXT) -> None:
        commit(self.folder, version)
        git(self.folder, "tag", version)


class Project:
    """A service in its own repository, or in a folder of a larger one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copy(
        cls, template: Template, folder: Path, version: str = WORK_TREE, **answers: Any
    ) -> "Project":
        """Render a version and commit it."""
        if version in (*releases(), WORK_TREE):
            original = template.original
            shutil.copytree(original.rendered(version, answers), folder)
            source = "_src_path: {}\n"
            replace(
                folder,
                ".copier-answers.yml",
                source.format(original.folder),
                source.format(template.folder),
            )
        else:
            template.render(folder, version, answers)
        project = cls(folder)
        project.commit()
        return project

    def commit(self) -> None:
        commit(self.folder)

    def replace(self, name: str, old: str, new: str) -> None:
        replace(self.folder, name, old, new)

    def update(self, version: str | None = None, **answers: Any) -> str:
        """Run `copier update --defaults`, by default to the newest version; returns its output."""
        with redirect_stderr(io.StringIO()) as printed:
            copier.run_update(
                self.folder,
                data=answers,
                defaults=True,
                overwrite=True,
                unsafe=self.needs_trust(),
                vcs_ref=version,
            )
        return printed.getvalue()

    def needs_trust(self) -> bool:
        """Whether the next update is the one to 2.0.0, which runs a script."""
        answers = (self.folder / ".copier-answers.yml").read_text()
        return "\n_commit: 1." in answers

    def undo_update(self) -> None:
        """Undo an update that is not committed, with the command in the service's documentation."""
        command = "git restore --source=HEAD --staged --worktree . && git clean --force -d"
        git(self.folder, "grep", "--fixed-strings", command, "HEAD", "--", "README.md", "docs")
        subprocess.run(command, shell=True, cwd=self.folder, check=True)

    def changed(self) -> set[str]:
        """The files that differ from the last commit."""
        status = git(self.folder, "status", "--short", "--untracked-files=all", "--no-renames", ".")
        return {line[3:] for line in status.splitlines()}

    def conflicts(self) -> set[str]:
        """The files with conflicts, listed by the command in the message after an update."""
        return set(git(self.folder, "diff", "--name-only", "--diff-filter=U").splitlines())

    def files(self) -> Mapping[str, str]:
        """The rendered files, without the secret, which is random."""
        listed = git(self.folder, "ls-files", "--cached", "--others").splitlines()
        names = {n for n in listed if n not in (".env", "uv.lock") and "__pycache__" not in n}
        return {n: (self.folder / n).read_text() for n in names if (self.folder / n).is_file()}


ADDED_TABLES = (
    r'    op\.create_table\(\n        "(?:idempotency_keys|jobs)",\n(?:        .*\n)*    \)\n'
    r'|    op\.create_index\(op\.f\("ix_idempotency_keys_.*\n'
    r'|    op\.drop_table\("(?:idempotency_keys|jobs)"\)\n'
)


def without_additions(files: Mapping[str, str]) -> dict[str, str]:
    """The files without `users.role`, and without the tables of idempotency keys and of jobs.

    The first migration of a new service creates them, and another one those of an updated service.
    """
    first = "migrations/versions/0001_initial.py"
    added = ("_roles.py", "_idempotency.py")
    kept = {name: text for name, text in files.items() if not name.endswith(added)}
    text = re.sub(ADDED_TABLES, "", kept[first])
    lines = text.splitlines(keepends=True)
    return kept | {first: "".join(line for line in lines if "role" not in line)}
