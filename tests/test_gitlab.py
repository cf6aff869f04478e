"""The pipeline for GitLab: its schema, its commands, and what it has in common with GitHub."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from harness.commands import succeed
from harness.parts import nightly
from harness.projects import commit
from harness.running import database
from harness.services import UV, Service
from harness.variants import FAMILIES, ONE_EACH, SELECTION, Variant

Rendered = Callable[[Variant], Path]

# They are rendered anyway: one for each database.
VARIANTS = list({FAMILIES[v.driver]: v for v in SELECTION if "gitlab" in v.deploy}.values())


@pytest.fixture(params=VARIANTS, ids=str)
def service(rendered: Rendered, request: pytest.FixtureRequest) -> Path:
    return rendered(request.param)


def pipeline_of(service: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((service / ".gitlab-ci.yml").read_text())
    return loaded


def workflow_of(service: Path) -> dict[str, Any]:
    loaded = yaml.safe_load((service / ".github" / "workflows" / "ci.yml").read_text())
    jobs: dict[str, Any] = loaded["jobs"]
    return jobs


def test_pipelines_exist_for_every_database() -> None:
    assert {FAMILIES[v.driver] for v in VARIANTS} == {*FAMILIES.values()}


def test_pipeline_conforms_to_its_schema(service: Path) -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    pipeline = str(service / ".gitlab-ci.yml")
    succeed(program, "--builtin-schema", "vendor.gitlab-ci", pipeline)


def test_pipeline_has_the_jobs_and_commands_of_the_workflow(service: Path) -> None:
    pipeline, jobs = pipeline_of(service), workflow_of(service)
    [install, sync] = pipeline["default"]["before_script"]
    for name, job in jobs.items():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        own = [sync, *pipeline[name]["script"]]
        assert [start(command) for command in own] == [start(command) for command in commands]
    dockerfile = (service / "Dockerfile").read_text()
    assert re.search(r"uv==\S+", install)[0] in dockerfile  # type: ignore[index]


def start(command: str) -> str:
    """A command without the condition in its last argument."""
    return re.split(r" \$", command)[0]


def test_pipeline_tests_on_the_versions_and_the_database_of_the_workflow(service: Path) -> None:
    job, other = pipeline_of(service)["test"], workflow_of(service)["test"]
    assert job["parallel"]["matrix"] == [{"UV_PYTHON": other["strategy"]["matrix"]["python"]}]
    server = other.get("services", {}).get("database")
    if server is None:
        assert "services" not in job
        return
    assert job["services"] == [{"name": server["image"], "alias": "database"}]
    url = other["env"]["TEST_DATABASE_URL"].replace("@127.0.0.1:", "@database:")
    assert job["variables"] == {**server["env"], "TEST_DATABASE_URL": url}


def run_script(commands: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run the lines of a job as a runner does, and return their output."""
    script = "\n".join(commands)
    return succeed("bash", "-eo", "pipefail", "-c", script, cwd=folder, env=variables)


@pytest.mark.parametrize("driver", [nightly(driver) for driver in ONE_EACH])
def test_lines_of_the_jobs_run_as_written(
    installed: Callable[[Variant], Service], driver: str, tmp_path: Path
) -> None:
    service = installed(Variant(driver, deploy=("gitlab",)))
    (service.folder / ".env").unlink()
    commit(service.folder)
    pipeline = pipeline_of(service.folder)
    image = tmp_path / "image"  # stands for that of Python
    subprocess.run([UV, "venv", "--quiet", "--seed", str(image)], check=True)
    version = f"3.{sys.version_info.minor}"
    with database(service) as url:
        variables = {
            **service.variables,
            **pipeline["variables"],
            "PATH": f"{image}/bin:{os.environ['PATH']}",
            "UV_CACHE_DIR": str(service.folder / ".cache" / "uv"),
            "UV_PYTHON": version,
        }
        del variables["UV_PROJECT_ENVIRONMENT"]
        before, after = pipeline["default"]["before_script"], pipeline["default"]["after_script"]
        checked = run_script([*before, *pipeline["check"]["script"]], service.folder, variables)
        assert re.search(r"mypy\.+Passed", checked), checked
        if not url.startswith("sqlite"):
            assert pipeline["test"]["variables"]["TEST_DATABASE_URL"].partition(":")[0] in url
            server = make_url(url).set(database="service_test")
            variables["TEST_DATABASE_URL"] = server.render_as_string(hide_password=False)
        tested = run_script([*before, *pipeline["test"]["script"]], service.folder, variables)
        assert " passed" in tested, tested
        run_script(after, service.folder, variables)
    shutil.rmtree(service.folder / ".cache")
