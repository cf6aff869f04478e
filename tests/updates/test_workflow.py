"""The workflow that updates a service and opens a pull request, run without GitHub."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.projects import NEXT, WORK_TREE, Project, Template, git
from harness.rendering import COPIER
from harness.services import UV
from tests.updates.future_releases import add_setting

SHIMS = {
    # Records its arguments; no credentials are needed here.
    "gh": '''[ "$1" = auth ] && exit
for rejected in $GH_REJECTS; do case " $* " in *" $rejected "*) exit 1;; esac; done
printf "%s\\n" "$@" > "$RUNNER_TEMP/gh"; cat "$RUNNER_TEMP/body" > "$RUNNER_TEMP/sent"''',
    # Runs this environment's Copier, and records the URL rewrites of git.
    "uvx": f'''git config --get-regexp "^url" > "$RUNNER_TEMP/addresses"
shift 4; exec {shlex.join(COPIER)} "$@"''',
    "uv": f'exec "{UV}" "$@"',
}


def steps(folder: Path) -> list[dict[str, Any]]:
    """The steps of a service's workflow that run commands."""
    workflow = yaml.safe_load((folder / ".github/workflows/template.yml").read_text())
    return [step for step in workflow["jobs"]["update"]["steps"] if "run" in step]


class Repository:
    """A project with a remote, and an imitation of the runner of its workflow."""

    def __init__(self, project: Project, folder: Path) -> None:
        project.commit()
        git(project.folder, "branch", "--move", "--force", "main")
        self.project = project
        self.working_directory = "."
        self.remote = folder / "remote.git"
        git(folder, "clone", "--quiet", "--bare", str(project.folder), str(self.remote))
        git(project.folder, "remote", "add", "origin", str(self.remote))
        self.runner = folder / "runner"
        self.runner.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        for name, body in SHIMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{body}\n")
            (programs / name).chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.runner),
            "UV_PYTHON": sys.executable,
            "GH_REJECTS": "",
            "GITHUB_OUTPUT": str(self.runner / "output"),
            "READ_TOKEN": "",
        }

    def run_workflow(self, rejected_by_github: str = "") -> subprocess.CompletedProcess[str]:
        """Check out the remote and run the steps as GitHub does, up to the first failure."""
        for name in ("gh", "sent"):
            (self.runner / name).unlink(missing_ok=True)
        output = self.runner / "output"
        output.write_text("")
        workspace = self.runner / "workspace"
        git(self.runner, "clone", "--quiet", "--depth", "1", f"file://{self.remote}", "workspace")
        results: list[subprocess.CompletedProcess[str]] = []
        for step in steps(workspace):
            if step.get("if") == "steps.update.outputs.new" and "new=" not in output.read_text():
                continue
            result = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=workspace / self.working_directory,
                env=self.environment | {"GH_REJECTS": rejected_by_github},
                capture_output=True,
                text=True,
                check=False,
            )
            results.append(result)
            if result.returncode != 0:
                break
        shutil.rmtree(workspace)
        return results[-1]

    def pull_request(self) -> list[str] | None:
        """The arguments of `gh`, if it was called."""
        called = self.runner / "gh"
        return called.read_text().splitlines() if called.exists() else None

    def open_pull_request(self, rejected_by_github: str = "") -> list[str]:
        """Run the workflow, which must succeed and call `gh`; returns the arguments."""
        result = self.run_workflow(rejected_by_github)
        assert result.returncode == 0, result.stderr
        called = self.pull_request()
        assert called is not None
        return called

    def branches(self) -> set[str]:
        return set(git(self.remote, "branch", "--format", "%(refname:short)").split())


@pytest.fixture(scope="module")
def lock(upstream: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock file of a service with the default answers."""
    project = Project.copy(upstream, tmp_path_factory.mktemp("locked") / "project", WORK_TREE)
    subprocess.run([UV, "lock", "--quiet"], cwd=project.folder, check=True)
    return project.folder / "uv.lock"


def edit(project: Project, upstream: Template, lock: Path) -> None:
    """Make the edits of an owner: a lock file and another port."""
    shutil.copy(lock, project.folder)
    project.replace("app/settings.py", "port: int = Field(8000", "port: int = Field(8500")
    # A URL, as in the answers of real services.
    folder = str(upstream.folder)
    project.replace(".copier-answers.yml", folder, f"git+file://{folder}")


def release_conflict(upstream: Template) -> None:
    """Release another port, which conflicts with the edit."""
    upstream.replace(
        "template/app/settings.py.jinja", "port: int = Field(8000", "port: int = Field(9000"
    )
    upstream.release(NEXT)


@pytest.fixture
def repository(own_upstream: Template, tmp_path: Path, lock: Path) -> Repository:
    project = Project.copy(own_upstream, tmp_path / "project", WORK_TREE)
    edit(project, own_upstream, lock)
    return Repository(project, tmp_path)


@pytest.mark.nightly
def test_no_pull_request_without_a_new_release(repository: Repository) -> None:
    result = repository.run_workflow()
    assert result.returncode == 0, result.stderr
    assert "Nothing is new." in result.stdout
    assert repository.pull_request() is None
    assert repository.branches() == {"main"}


@pytest.mark.nightly
def test_pull_request_is_opened_once_with_the_message_of_the_update(
    repository: Repository, own_upstream: Template
) -> None:
    add_setting(own_upstream)
    own_upstream.replace(
        "includes/features/core/dev_dependencies.toml.jinja",
        '"ruff>=0.17.5",\n',
        '"ruff>=0.17.4",\n',
    )
    own_upstream.release(NEXT)
    called = repository.open_pull_request()
    assert called[:4] == ["pr", "create", "--head", f"template-{NEXT}"]
    assert "--draft" not in called
    sent = (repository.runner / "sent").read_text()
    assert "uv run alembic upgrade head" in sent
    # Commands for uncommitted changes are useless in the branch.
    assert "git diff" not in sent
    assert "Conflicts" not in sent
    branch = f"template-{NEXT}"
    assert repository.branches() == {"main", branch}
    changed = git(repository.remote, "diff", "--name-only", "main", branch).splitlines()
    # The lock file is updated, because CI of the service installs it.
    assert changed == [
        ".copier-answers.yml",
        ".env.example",
        "app/settings.py",
        "pyproject.toml",
        "uv.lock",
    ]
    assert "Field(8500" in git(repository.remote, "show", f"{branch}:app/settings.py")
    result = repository.run_workflow()
    assert result.returncode == 0, result.stderr
    assert "There is a branch" in result.stdout
    assert repository.pull_request() is None


@pytest.mark.nightly
def test_pull_request_with_conflicts_is_a_draft_that_lists_them(
    repository: Repository, own_upstream: Template
) -> None:
    release_conflict(own_upstream)
    called = repository.open_pull_request()
    assert "--draft" in called
    assert "- `app/settings.py`\n" in (repository.runner / "sent").read_text()
    git(repository.remote, "branch", "--delete", "--force", f"template-{NEXT}")
    called = repository.open_pull_request("--draft")
    assert f"Update from the template, {NEXT} (conflicts)" in called
    settings = git(repository.remote, "show", f"template-{NEXT}:app/settings.py")
    assert "<<<<<<< before updating" in settings
    assert "Field(8500" in settings
    assert "Field(9000" in settings


@pytest.mark.nightly
def test_service_in_a_monorepo_is_updated_in_its_folder(
    own_upstream: Template, tmp_path: Path, lock: Path
) -> None:
    company = Project(tmp_path / "company")
    service = Project.copy(own_upstream, company.folder / "services" / "mine", WORK_TREE)
    edit(service, own_upstream, lock)
    shutil.rmtree(service.folder / ".git")
    (service.folder / ".github").rename(company.folder / ".github")
    release_conflict(own_upstream)
    repository = Repository(company, tmp_path)
    result = repository.run_workflow()
    assert result.returncode == 1
    assert "working-directory names the service's folder" in result.stdout

    repository.working_directory = "services/mine"
    branch = f"template-services/mine/{NEXT}"
    assert branch in repository.open_pull_request()
    assert "- `services/mine/app/settings.py`\n" in (repository.runner / "sent").read_text()
    changed = git(repository.remote, "diff", "--name-only", "main", branch).splitlines()
    assert changed == ["services/mine/.copier-answers.yml", "services/mine/app/settings.py"]


@pytest.mark.nightly
def test_workflow_fails_without_a_branch_if_github_rejects_the_pull_request(
    repository: Repository, own_upstream: Template
) -> None:
    add_setting(own_upstream)
    own_upstream.release(NEXT)
    assert repository.run_workflow("create").returncode == 1
    assert repository.branches() == {"main"}
    assert repository.open_pull_request()


def test_local_path_of_the_template_is_a_warning(
    repository: Repository, own_upstream: Template
) -> None:
    project = repository.project
    project.replace(".copier-answers.yml", "git+file://", "")
    project.commit()
    git(project.folder, "push", "--quiet", "origin", "main")
    add_setting(own_upstream)
    own_upstream.release(NEXT)
    result = repository.run_workflow()
    assert result.returncode == 0
    assert "::warning::The template is a folder" in result.stdout
    assert repository.pull_request() is None


def test_workflow_fails_with_the_reason_if_the_template_is_unreachable(
    repository: Repository, own_upstream: Template
) -> None:
    own_upstream.folder.rename(own_upstream.folder.with_name("moved"))
    result = repository.run_workflow()
    assert result.returncode == 1
    assert "template" in result.stdout + result.stderr
    assert repository.branches() == {"main"}


def test_installed_packages_cannot_read_a_token_with_write_access(repository: Repository) -> None:
    text = (repository.project.folder / ".github/workflows/template.yml").read_text()
    workflow = yaml.safe_load(text)
    job = workflow["jobs"]["update"]
    [checkout] = [each for each in job["steps"] if "checkout" in each.get("uses", "")]
    assert checkout["with"] == {"persist-credentials": False}
    update, open_pull_request = steps(repository.project.folder)
    assert "uvx" in update["run"]
    assert "uv" not in open_pull_request["run"].split()
    assert [set(part.get("env", ())) for part in (workflow, job, update)] == [
        set(),
        set(),
        {"READ_TOKEN"},
    ]


@pytest.mark.nightly
@pytest.mark.parametrize(("token", "access"), [("", ""), ("secret", "x-access-token:secret@")])
def test_template_is_fetched_by_https_with_its_token_if_there_is_one(
    repository: Repository, token: str, access: str
) -> None:
    repository.environment["READ_TOKEN"] = token
    assert repository.run_workflow().returncode == 0
    assert (repository.runner / "addresses").read_text().splitlines() == [
        f"url.https://{access}github.com/.insteadof https://github.com/",
        f"url.https://{access}github.com/.insteadof git@github.com:",
    ]
