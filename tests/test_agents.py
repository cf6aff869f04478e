"""The commands in AGENTS.md, of services and of this repository, succeed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.parts import nightly
from harness.rendering import ROOT
from harness.running import database
from harness.services import Service
from harness.variants import Variant
from harness.waiting import free_port, wait_until_served

pytestmark = pytest.mark.xdist_group("mypy")  # one worker fills the cache

# Without the tests of the machinery, which the suites of variants run.
SHORT = {"PYTEST_ADDOPTS": "--ignore=tests/core --cov-fail-under=0"}


def commands_in(document: str) -> list[str]:
    [block] = re.findall(r"^```shell\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0].strip() for line in block.splitlines()]


def assert_serves(service: Service, command: str, **variables: str) -> None:
    """Run a command until the service responds, then interrupt it as Ctrl+C does."""
    port, log = free_port(), service.folder.parent / "served.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command.split(),
            cwd=service.folder,
            env=service.variables | {"PORT": str(port)} | variables,
            stdout=output,
            stderr=output,
            process_group=0,
        ) as process,
    ):
        try:
            wait_until_served(f"http://127.0.0.1:{port}/health/ready", process, log)
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "described",
    [
        nightly(Variant("aiosqlite", "flat", "none")),
        nightly(Variant("aiosqlite", "flat", "none", ())),
        nightly(Variant("asyncpg", "layered", "jwt", ("assistant",), api_keys=True)),
        nightly(Variant("aiomysql", "by_feature", "oidc", ("measurements",))),
        nightly(Variant("psycopg", "by_feature", "session", (), dev_database="sqlite")),
    ],
    ids=str,
)
def test_commands_for_agents_of_a_fresh_service_succeed(
    installed: Callable[[Variant], Service], described: Variant
) -> None:
    service = installed(described)
    service.succeed("git", "init", "--quiet")
    service.succeed("git", "add", ".")
    kind = ["sqlite"] if described.sqlite_in_development else []
    outputs = {}
    with database(service, *kind) as url:
        variables = {"ENVIRONMENT": "development", "DATABASE_URL": url}
        for command in commands_in((service.folder / "AGENTS.md").read_text()):
            if command == "uv run fastapi dev":
                assert_serves(service, command, **variables)
                # In production, `python -m app.main` serves; this command works, too.
                assert_serves(service, "uv run fastapi run --host 127.0.0.1", **variables)
            elif "pytest" in command:  # tests choose their own database
                outputs[command] = service.succeed("sh", "-c", command, **SHORT)
            else:
                outputs[command] = service.succeed("sh", "-c", command, **variables)
    checks = outputs["uv run pre-commit run --all-files"]
    assert checks.count("Passed") + checks.count("Skipped") == 5, checks


def test_paths_that_agents_are_told_of_exist(rendered: Callable[[Variant], Path]) -> None:
    for structure in ("flat", "layered", "by_feature"):
        for auth in ("none", "oidc"):
            service = rendered(Variant("aiosqlite", structure, auth, api_keys=auth != "none"))
            text = (service / "AGENTS.md").read_text()
            paths = re.findall(r"[`(]((?:app|docs|migrations|tests)/[\w./-]*)[`)]", text)
            missing = [
                path for path in paths if "NAME" not in path and not (service / path).exists()
            ]
            assert not missing
            if structure == "by_feature":
                assert (service / "app" / "projects" / "routes.py").exists()


def test_commands_for_agents_of_this_repository_work(template: Path, tmp_path: Path) -> None:
    """Long commands are only looked up."""
    folder = str(Path(sys.executable).parent)
    for command in commands_in((ROOT / "AGENTS.md").read_text()):
        if command.startswith("make "):
            command = command.replace("make", "make --dry-run", 1)
        elif "pytest" in command:
            command += " --collect-only --quiet"
        elif "copier copy" in command:
            # Of a copy, because the work tree may be in use.
            command = command.replace(" . ", f" {template} ").replace("/tmp/service", f"{tmp_path}")
        succeed("sh", "-c", command.replace(".venv/bin", folder), cwd=ROOT)
    assert (tmp_path / "app" / "main.py").exists()
