"""The service: its answers, its environment, and copies of it in which changes are tried."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from scaffolding.errors import Refused

ANSWERS = ".copier-answers.yml"
IN_SERVICE = Path(__file__).with_name("in_service.py")
IGNORED = (
    *(".venv", ".git", "__pycache__", ".database", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    *("*.db", "*.db-shm", "*.db-wal"),
)
# What configures ruff, in the folder of the service or above it.
SETTINGS = ("pyproject.toml", "ruff.toml", ".ruff.toml")
FIXTURE = re.compile(
    r"^@(?:\w+\.)?fixture\b(?:\((?:[^()]*\bname=[\"'](\w+))?[^()]*\))?"
    r"\s+(?:async )?def (\w+)\(",
    re.MULTILINE,
)


class Service:
    """A folder with a service of this template."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = read_answers(folder)
        if not (folder / "app").is_dir():
            raise Refused(
                "There is no package `app` in this service: this tool writes code that imports from"
                " `app`, and cannot add it to another package."
            )

    @property
    def structure(self) -> str:
        return str(self.answers["structure"])

    @property
    def has_accounts(self) -> bool:
        return bool(self.answers.get("auth", "none") != "none")

    @property
    def python(self) -> Path:
        """The interpreter of the service's environment."""
        environment = Path(os.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
        script = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
        for folder in (self.folder, *self.parents):  # a workspace has one environment
            if (path := folder / environment / script).exists():
                return path
        raise Refused(
            f"The service has no environment in {environment}: run `uv sync`, and try again."
        )

    @property
    def parents(self) -> list[Path]:
        """The folders between the service and the root of its repository, such as a monorepo."""
        above = self.git("rev-parse", "--show-cdup") or ""
        return list(self.folder.parents)[: above.count("..")]

    def copy_to(self, folder: Path) -> "Service":
        """Copy what git does not ignore, `.env`, and the settings in the folders above."""
        parents = self.parents
        for parent in reversed(parents):
            folder.mkdir()
            copy_settings(parent, folder)
            folder /= self.folder.relative_to(parent).parts[0]
        listed = self.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if listed is None:
            shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(*IGNORED))
        else:
            for name in filter(None, [*listed.split("\0"), ".env"]):
                if (self.folder / name).is_file():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(self.folder / name, folder / name)
        return Service(folder)

    def git(self, *arguments: str) -> str | None:
        """Run git in the folder; None if it fails, as in a folder that is no repository."""
        command = ["git", *arguments]
        result = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        return None if result.returncode else result.stdout.decode()

    def run(self, python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the interpreter of the service."""
        variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        return subprocess.run(
            [str(python), *arguments],
            cwd=self.folder,
            env=variables | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, python: Path, question: str, *values: str) -> Mapping[str, Any]:
        """Run `in_service.py`, and return its result."""
        result = self.run(python, "-P", str(IN_SERVICE), question, *values)
        lines = result.stdout.splitlines()
        if result.returncode or not lines:
            output = f"{result.stdout}\n{result.stderr}"
            raise Refused(explain(output.replace(f"{self.folder}{os.sep}", "")))
        found: dict[str, Any] = json.loads(lines[-1])
        if "failed" in found:
            raise Refused(found["failed"])
        return found

    def format(self, python: Path, names: Iterable[str], unformatted: Iterable[str]) -> None:
        """Sort imports and format as the service's own settings say."""
        names = list(names)
        fix = ("-m", "ruff", "check", "--no-cache", "--quiet", "--fix", "--select", "I001,F811")
        self.run(python, *fix, "--", *names)
        rest = [name for name in names if name not in set(unformatted)]
        self.run(python, "-m", "ruff", "format", "--no-cache", "--quiet", "--", *rest)

    def formatted(self, python: Path, name: str, text: str, exploded: bool) -> str:
        """Format code as the service does, or with an element a line; empty if it is invalid."""
        option = "line-length=1" if exploded else "format.skip-magic-trailing-comma=true"
        command = [str(python), "-m", "ruff", "format", "--no-cache", "--quiet", "--config", option]
        result = subprocess.run(
            [*command, "--stdin-filename", name, "-"],
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if result.returncode else result.stdout

    def lint(self, python: Path, names: Iterable[str]) -> None:
        """Refuse what the linter of the service rejects."""
        check = ("-m", "ruff", "check", "--no-cache", "--output-format", "concise", "--", *names)
        result = self.run(python, *check)
        if result.returncode:
            first = next(iter((result.stdout or result.stderr).splitlines()), "no output")
            raise Refused(
                f"The linter of the service rejects what would be written ({first}): use another"
                " name, or change the rules of ruff in pyproject.toml."
            )

    def unformatted(self, python: Path, names: Collection[str]) -> list[str]:
        """Return the files that the service's formatter would change: it must leave them alone."""
        check = ("-m", "ruff", "format", "--no-cache", "--check", "--", *names)
        output = self.run(python, *check).stdout.replace("\\", "/")
        return [name for name in names if f"Would reformat: {name}" in output]

    def fixtures(self) -> set[str]:
        paths = (self.folder / "tests").rglob("*.py")
        texts = (path.read_text(encoding="utf-8", errors="replace") for path in paths)
        return {given or name for text in texts for given, name in FIXTURE.findall(text)}


def copy_settings(source: Path, target: Path) -> None:
    for name in SETTINGS:
        if (source / name).is_file():
            shutil.copy(source / name, target)


def read_answers(folder: Path) -> dict[str, Any]:
    try:
        answers = yaml.safe_load((folder / ANSWERS).read_text())
    except FileNotFoundError:
        raise Refused(
            f"There is no {ANSWERS} in {folder}: run this in the folder of a service."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refused(
            f"{ANSWERS} cannot be read ({type(error).__name__}): restore it from git."
        ) from None
    if not isinstance(answers, dict) or not {"_src_path", "structure", "driver"} <= answers.keys():
        raise Refused(f"{ANSWERS} is from another template: run this in the folder of a service.")
    return answers


def explain(output: str) -> str:
    """Return one sentence for a process that failed in the service."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if not line.startswith("[")), "no output")
    unreachable = "TEST_DATABASE_URL|pixeltable|mysqld|mariadbd|refused|connect call|can't connect"
    if re.search(unreachable, output, re.IGNORECASE):
        return (
            f"No database server for the migration could be reached ({last}): install the"
            " server of the tests, or set TEST_DATABASE_URL."
        )
    if "Multiple head revisions" in output:
        return (
            "The migrations have more than one head: run `uv run alembic merge heads`, and run this"
            " again."
        )
    places = re.findall(r'File "((?:app|tests|migrations)/[^"]+)", line (\d+)', output)
    place = " in {} line {}".format(*places[-1]) if places else ""
    return (
        f"The service cannot be imported or migrated ({last}{place}): correct it, and run this"
        " again."
    )
