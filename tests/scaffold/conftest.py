"""A service in a repository of its own, to which the tool adds resources."""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path

import pytest
from scaffolding.command_line import main
from scaffolding.merging import merged as merged_with
from scaffolding.service import Service as ScaffoldedService

from harness.commands import succeed
from harness.projects import commit, git
from harness.servers import Server
from harness.services import ENVIRONMENTS, InEnvironment, Service, cache_of_mypy
from harness.variants import FAMILIES, Variant

EDITED = "app/models.py"


def merged(owners: str, old: str, new: str) -> str:
    """Merge, with the formatter of this repository."""
    here = ScaffoldedService.__new__(ScaffoldedService)
    here.folder = Path()
    return merged_with(
        owners, old, new, EDITED, partial(here.formatted, Path(sys.executable), EDITED)
    )


class Owner:
    """The owner of a service, with the tool and the commands of the service."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.original = self.content()

    def scaffold(self, *arguments: str) -> tuple[int, str]:
        """Run the tool in the service's folder: its exit status and output."""
        output = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, chdir(self.folder):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with redirect_stdout(output), redirect_stderr(output):
                status = main(arguments)
        return status, output.getvalue()

    def add(self, *arguments: str) -> str:
        status, output = self.scaffold(*arguments)
        assert status == 0, output
        return output

    def refused(self, *arguments: str) -> str:
        """Run the tool, which must refuse and change nothing; return its sentence."""
        before = self.content()
        status, output = self.scaffold(*arguments)
        assert status == 1, output
        assert self.content() == before
        return output.strip()

    def content(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        hidden = {".git", ".venv", "__pycache__", ".coverage", ".mypy_cache", ".pytest_cache"}
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in paths
            if not hidden & set(path.relative_to(self.folder).parts)
        }

    def run(self, *command: str) -> str:
        variables = os.environ | self.environment
        return succeed(sys.executable, "-m", *command, cwd=self.folder, env=variables)

    def check(self) -> None:
        """Run the checks of the service: lint, formatting and types."""
        self.run("ruff", "check", "--no-cache", "--quiet", ".")
        self.run("ruff", "format", "--no-cache", "--check", "--quiet", ".")
        self.run("mypy", ".")

    def measure(self, in_environment: InEnvironment) -> None:
        """Run the whole suite, which must cover every line and branch."""
        service = self.installed(in_environment)
        suite = service.uv_run("pytest", "-q", "-n", "2", "--cov", "--cov-branch")
        (self.folder / "uv.lock").unlink()
        assert "Total coverage: 100.00%" in suite

    def installed(self, in_environment: InEnvironment) -> Service:
        """Return the service with its own environment, which has pytest-cov."""
        service = in_environment(self.folder)
        own = {"UV_PROJECT_ENVIRONMENT", "MYPY_CACHE_DIR"}
        service.variables |= {n: v for n, v in self.environment.items() if n not in own}
        return service

    def measure_added(self, in_environment: InEnvironment) -> None:
        """Run the tests of the resources, and the tests of every endpoint and migration.

        They must cover every line that was added.
        """
        report = self.folder.parent / "coverage.json"
        names = git(self.folder, "ls-files", "--", "tests/test_*.py", "tests/core/test_migrat*.py")
        every = {"tests/test_authorization.py"}
        tests = [
            name
            for name in names.splitlines()
            if name not in self.original or name in every or "core" in name
        ]
        options = ("--cov=app", "--cov-branch", f"--cov-report=json:{report}", "--cov-fail-under=0")
        service = self.installed(in_environment)
        service.uv_run("pytest", "-q", "-n", "0", *options, *tests)
        (self.folder / "uv.lock").unlink()
        measured = json.loads(report.read_text())["files"]
        missing = {}
        for name, content in self.content().items():
            if name.startswith("app/") and content != self.original.get(name):
                old = self.original.get(name, b"").decode().splitlines()
                matcher = SequenceMatcher(None, old, content.decode().splitlines(), autojunk=False)
                added = {
                    number + 1
                    for tag, _, _, start, end in matcher.get_opcodes()
                    if tag in {"insert", "replace"}
                    for number in range(start, end)
                }
                lines = measured[name]["missing_lines"]
                branches = [source for source, _ in measured[name]["missing_branches"]]
                missing[name] = sorted(added & {*lines, *map(abs, branches)})
        assert missing
        assert not any(missing.values()), missing

    def commit(self) -> None:
        commit(self.folder)

    def status(self) -> str:
        return git(self.folder, "status", "--short")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text, name
        path.write_text(text.replace(old, new, 1))


@pytest.fixture
def owner_of(
    rendered: Callable[[Variant], Path],
    servers: Callable[[str], Server],
    tmp_path: Path,
    worker_id: str,
) -> Callable[[Variant], Owner]:
    """Makes a service of a variant, committed, with the environment of these tests."""

    def owner(variant: Variant) -> Owner:
        folder = shutil.copytree(rendered(variant), tmp_path / "service")
        environment = {
            "UV_PROJECT_ENVIRONMENT": sys.prefix,
            "DATABASE_URL": f"sqlite:///{tmp_path}/owner.db",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MYPY_CACHE_DIR": cache_of_mypy(ENVIRONMENTS / worker_id),
        }
        family = FAMILIES[variant.driver]
        if family != "sqlite" and not variant.sqlite_in_development:
            server = f"{family}://{servers(family).address}"
            environment["DATABASE_URL"] = f"{server}/owner_of_scaffold"
            environment["TEST_DATABASE_URL"] = f"{server}/service_test"
        commit(folder)
        return Owner(folder, environment)

    return owner
