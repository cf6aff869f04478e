"""Units of systemd, checked by its own tools without starting it, and their commands, which run."""

import configparser
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from venv import create

import pytest
import yaml

from harness.commands import succeed
from harness.rendering import render
from harness.running import database
from harness.services import Service
from harness.variants import LARGEST, ONE_EACH, SELECTION, Variant
from harness.waiting import free_port, wait_until_served

Rendered = Callable[[Variant], Path]

# systemd-analyze rates a service without any sandbox with 9.6.
EXPOSURE = 1.5
# They are rendered anyway.
ON_SQLITE, WITHOUT_JOBS = (
    next(v for v in SELECTION if "systemd" in v.deploy and getattr(v, question) == answer)
    for question, answer in (("driver", "aiosqlite"), ("jobs", "none"))
)
ENVIRONMENT_FILE = re.compile(r"^```sh\n(DATABASE_URL=.*?)^```$", re.MULTILINE | re.DOTALL)


class Units:
    """The units of a service, installed in a folder."""

    def __init__(self, service: Path, folder: Path, name: str = "my-service") -> None:
        self.name = name
        self.folder = shutil.copytree(service / "deploy" / "systemd", folder / "units")
        processes = [path.name.replace("@.", "@8000.") for path in self.folder.glob("*.service")]
        self.names = sorted(processes)

    def analyze(self, *arguments: str) -> str:
        """Run systemd-analyze, which must find nothing."""
        program = shutil.which("systemd-analyze")
        assert program, "systemd-analyze is missing: install Debian's package systemd."
        path = f"{self.folder}:"
        return succeed(
            program, *arguments, *self.names, env={**os.environ, "SYSTEMD_UNIT_PATH": path}
        )

    def options(self, kind: str) -> configparser.SectionProxy:
        """The section [Service] of a unit."""
        return section(self.folder / f"{self.name}-{kind}.service")


def section(file: Path, name: str = "Service") -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file)
    return parser[name]


@pytest.fixture(params=[LARGEST, ON_SQLITE], ids=str)
def service(rendered: Rendered, request: pytest.FixtureRequest) -> Path:
    return rendered(request.param)


def test_units_have_only_options_that_systemd_knows(service: Path, tmp_path: Path) -> None:
    units = Units(service, tmp_path)
    assert units.analyze("verify") == ""


def test_each_unit_runs_in_a_sandbox(service: Path, tmp_path: Path) -> None:
    units = Units(service, tmp_path)
    for unit in units.names:
        units.names = [unit]
        units.analyze("security", "--offline=yes", f"--threshold={EXPOSURE * 10:.0f}")


def test_units_start_what_the_containers_start(rendered: Rendered, tmp_path: Path) -> None:
    service = rendered(LARGEST)
    units = Units(service, tmp_path)
    containers = yaml.safe_load((service / "compose.yaml").read_text())["services"]
    commands = {kind: units.options(kind)["ExecStart"] for kind in ("api@", "migrate", "worker")}
    assert {kind: command.split()[2:] for kind, command in commands.items()} == {
        "api@": ["-m", "app.main"],
        "migrate": ["-m", *containers["migrate"]["command"]],
        "worker": containers["worker"]["command"][1:],
    }
    assert '\nCMD ["python", "-m", "app.main"]\n' in (service / "Dockerfile").read_text()
    for kind, container in {"api@": "service", "worker": "worker"}.items():
        seconds = units.options(kind)["TimeoutStopSec"]
        assert containers[container]["stop_grace_period"] == f"{seconds}s"


def test_processes_import_packages_of_the_release_with_which_they_were_started(
    rendered: Rendered, tmp_path: Path
) -> None:
    """The link leads to the next release before they are restarted."""
    release, link = tmp_path / "release", tmp_path / "link"
    create(release / ".venv", symlinks=True)
    link.symlink_to(release)
    units = Units(rendered(LARGEST), tmp_path)
    for kind in ("api@", "migrate", "worker"):
        command = units.options(kind)["ExecStart"].split()[:2]
        printed = succeed(*command, "-c", "import sys; print(sys.prefix)", cwd=link)
        assert printed.strip() == str(release / ".venv")


def test_units_have_a_folder_only_for_a_database_that_is_a_file(rendered: Rendered) -> None:
    for variant, folder in {ON_SQLITE: "my-service", LARGEST: None}.items():
        service = rendered(variant)
        common = section(service / "deploy/systemd/my-service-.service.d/10-common.conf")
        assert common.get("StateDirectory") == folder
        url = environment_file(service)["DATABASE_URL"]
        assert url.startswith(f"sqlite:////var/lib/{folder}/") is (folder is not None)


def test_worker_is_there_only_with_jobs(rendered: Rendered, tmp_path: Path) -> None:
    units = Units(rendered(WITHOUT_JOBS), tmp_path)
    assert units.names == ["my-service-api@8000.service", "my-service-migrate.service"]


def test_units_are_valid_with_every_name_of_a_service(template: Path, tmp_path: Path) -> None:
    """`%` would begin a specifier, and Linux allows 31 characters in the name of a user."""
    answers: dict[str, Any] = {
        "service_name": "Inventory of 99% of the %d warehouses",
        "deploy": ["systemd"],
    }
    service = render(template, tmp_path / "service", **answers)
    units = Units(service, tmp_path, "inventory-of-99-of-the-d-wareho")
    assert units.options("migrate")["ExecStart"]
    assert units.analyze("verify") == ""
    for unit in units.folder.glob("*.service"):
        description = section(unit, "Unit")["Description"]
        assert description.startswith("Inventory of 99%% of the %%d warehouses: ")


def environment_file(service: Path) -> dict[str, str]:
    """The variables of the example in the guide."""
    [text] = ENVIRONMENT_FILE.findall((service / "docs" / "operating.md").read_text())
    return dict(line.split("=", 1) for line in text.splitlines())


def test_example_of_the_environment_file_means_the_same_to_systemd_as_written(
    service: Path,
) -> None:
    for value in environment_file(service).values():
        assert re.fullmatch(r"[\w@:/.,+-]+", value), value


@pytest.mark.nightly
@pytest.mark.parametrize("driver", ONE_EACH)
def test_commands_of_the_units_run_with_the_environment_file(
    installed: Callable[[Variant], Service], driver: str, tmp_path: Path
) -> None:
    service = installed(Variant(driver, auth="jwt", jobs="database", deploy=("systemd",)))
    (service.folder / ".env").unlink()
    python = Path(service.variables["UV_PROJECT_ENVIRONMENT"], "bin", "python")
    units = Units(service.folder, tmp_path)
    port = str(free_port())
    with database(service) as url:
        variables = {
            **environment_file(service.folder),
            "PATH": os.defpath,
            "SECRET_KEY": "k" * 32,
            "DATABASE_URL": url,
            "PORT": units.options("api@")["Environment"].removeprefix("PORT=").replace("%i", port),
        }

        def start(kind: str, log: Path) -> subprocess.Popen[bytes]:
            arguments = units.options(kind)["ExecStart"].split()[2:]
            with log.open("wb") as output:
                return subprocess.Popen(
                    [python, *arguments],
                    cwd=service.folder,
                    env=variables,
                    stdout=output,
                    stderr=output,
                )

        logs = {kind: tmp_path / f"{kind}.log" for kind in ("migrate", "api@", "worker")}
        assert start("migrate", logs["migrate"]).wait(60) == 0, logs["migrate"].read_text()
        with start("api@", logs["api@"]) as api, start("worker", logs["worker"]) as worker:
            try:
                wait_until_served(f"http://127.0.0.1:{port}/health/ready", api, logs["api@"])
                for process in (api, worker):
                    process.send_signal(signal.SIGTERM)
                limit = int(units.options("api@")["TimeoutStopSec"])
                assert [api.wait(limit), worker.wait(limit)] == [0, 0], logs["worker"].read_text()
            finally:
                api.kill()
                worker.kill()
