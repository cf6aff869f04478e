"""Docker and GitHub files, checked against their schemas but not run."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from socket import AF_INET, AF_INET6
from threading import Thread

import pytest
import yaml
from dotenv import dotenv_values

from harness.commands import succeed
from harness.parts import nightly
from harness.variants import EXAMPLES, ONE_EACH, Variant

ROOT = Path(__file__).parent.parent
LOOPBACK = re.compile(r"\b(localhost|127\.0\.0\.1)\b")
Rendered = Callable[[Variant], Path]


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()


def listening(address: str) -> HTTPServer:
    class Server(HTTPServer):
        address_family = AF_INET6 if ":" in address else AF_INET

    return Server((address, 0), Ready)


@pytest.fixture(params=ONE_EACH)
def service(rendered: Rendered, request: pytest.FixtureRequest) -> Path:
    return rendered(Variant(request.param, "flat", "jwt", EXAMPLES))


def check(schema: str, *files: Path) -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    succeed(program, "--builtin-schema", schema, *map(str, files))


def test_compose_file_conforms_to_its_schema(service: Path) -> None:
    check("vendor.compose-spec", service / "compose.yaml")


@pytest.mark.parametrize("driver", ONE_EACH)
def test_compose_file_of_the_dev_container_conforms_to_its_schema(
    rendered: Rendered, driver: str
) -> None:
    service = rendered(Variant(driver, devcontainer=True))
    check("vendor.compose-spec", service / ".devcontainer" / "compose.yaml")


@pytest.mark.parametrize("driver", ONE_EACH)
def test_dev_container_starts_the_containers_of_its_compose_file(
    rendered: Rendered, driver: str
) -> None:
    folder = rendered(Variant(driver, devcontainer=True)) / ".devcontainer"
    containers = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    described = json.loads((folder / "devcontainer.json").read_text())
    app = containers.pop(described["service"])
    assert app["volumes"] == [f"..:{described['workspaceFolder']}"]
    assert (
        f"useradd --create-home --shell /bin/bash {described['remoteUser']}\n"
        in (folder / "Dockerfile").read_text()
    )
    expected = {"extends": {"file": "../compose.yaml", "service": "database"}}
    assert containers == ({} if driver == "aiosqlite" else {"database": expected})


def test_workflows_conform_to_their_schema(service: Path) -> None:
    check("vendor.github-workflows", *(service / ".github" / "workflows").glob("*.yml"))


def test_workflows_of_this_repository_conform_to_their_schema() -> None:
    check("vendor.github-workflows", *(ROOT / ".github" / "workflows").glob("*.yml"))


def test_dependabot_files_conform_to_their_schema(service: Path) -> None:
    check("vendor.dependabot", service / ".github" / "dependabot.yml")
    check("vendor.dependabot", ROOT / ".github" / "dependabot.yml")


def test_issue_forms_conform_to_their_schema() -> None:
    config = ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"
    forms = set(config.parent.glob("*.yml")) - {config}
    check("vendor.github-issue-forms", *forms)
    check("vendor.github-issue-config", config)


def test_image_copies_files_that_exist_and_are_not_ignored(service: Path) -> None:
    dockerfile = (service / "Dockerfile").read_text()
    allowed = re.findall(r"^!(.+)$", (service / ".dockerignore").read_text(), re.MULTILINE)
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for source in line.split()
    }
    assert copied == set(allowed) == {"app", "migrations", "pyproject.toml", "uv.lock"}
    for source in copied - {"uv.lock"}:  # created by the first `uv sync`
        assert (service / source).exists()


def test_image_has_the_version_of_uv_that_tests_use(service: Path) -> None:
    dockerfile = (service / "Dockerfile").read_text()
    assert f"\nRUN pip install --no-cache-dir uv=={version('uv')}\n" in dockerfile


def test_image_does_not_run_as_root(service: Path) -> None:
    """The user of the last stage is a number, which Kubernetes can compare with root's."""
    stage = (service / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    [user] = re.findall(r"^USER (.+)$", stage, re.MULTILINE)
    assert user.isdecimal(), f"USER {user}"
    assert int(user) > 0
    assert f"useradd --system --uid {user} " in stage


@pytest.mark.parametrize("address", ["0.0.0.0", nightly("::"), nightly("127.0.0.2")])
def test_image_is_healthy_when_the_service_is_ready(service: Path, address: str) -> None:
    """At the address and port that the container listens on."""
    dockerfile = (service / "Dockerfile").read_text()
    [command] = re.findall(r"^HEALTHCHECK .+\\\n +CMD (.+)$", dockerfile, re.MULTILINE)
    python, *arguments = json.loads(command)
    assert python == "python"
    with listening(address) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {"LISTEN_ADDRESS": address, "PORT": str(server.server_port)}
        subprocess.run([sys.executable, *arguments], env=environment, check=True)
        server.shutdown()
    assert (
        subprocess.run([sys.executable, *arguments], env=environment, check=False).returncode == 1
    )
    assert "os.environ.get('PORT', '8000')" in command
    assert " LISTEN_ADDRESS=0.0.0.0\n" in dockerfile


@pytest.mark.parametrize("name", ["migrate", "service"])
def test_compose_overrides_what_means_the_machine_itself(service: Path, name: str) -> None:
    """Inside a container, this is another machine: the container."""
    written = dotenv_values(service / ".env.example")
    container = yaml.safe_load((service / "compose.yaml").read_text())["services"][name]
    assert container["env_file"] == ".env"
    local = {name for name, value in written.items() if LOOPBACK.search(value or "")}
    local -= {"ALLOWED_HOSTS"}  # clients are on the machine itself
    assert {"LISTEN_ADDRESS", "ASSISTANT_URL"} <= local
    assert local | {"DATABASE_URL"} <= container["environment"].keys()
    for variable in local:
        assert not LOOPBACK.search(container["environment"][variable])


def test_compose_publishes_the_port_that_the_service_listens_on(service: Path) -> None:
    container = yaml.safe_load((service / "compose.yaml").read_text())["services"]["service"]
    [published] = container["ports"]
    assert published.endswith(f":{container['environment']['PORT']}")


def test_compose_migrates_before_the_service_starts(service: Path) -> None:
    services = yaml.safe_load((service / "compose.yaml").read_text())["services"]
    assert services["migrate"]["command"] == ["alembic", "upgrade", "head"]
    assert services["service"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"}
    }


def test_compose_and_env_agree_on_the_database(service: Path) -> None:
    compose = yaml.safe_load((service / "compose.yaml").read_text())
    inside = compose["services"]["service"]["environment"]["DATABASE_URL"]
    [outside] = re.findall(r"^DATABASE_URL=(.+)$", (service / ".env").read_text(), re.MULTILINE)
    if outside.startswith("sqlite"):
        assert inside == "sqlite:////data/my_service.db"
        return
    assert inside.replace("@database", "@localhost") == outside
    values = compose["services"]["database"]["environment"]
    parts = re.fullmatch(r"\w+://(\w+):(\w+)@[^/]+/(\w+)", outside)
    assert parts
    assert set(parts.groups()) == set(values.values())


def test_ports_are_published_only_on_localhost(service: Path) -> None:
    for container in yaml.safe_load((service / "compose.yaml").read_text())["services"].values():
        for port in container.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_workflows_use_each_action_at_one_commit_that_a_version_explains(service: Path) -> None:
    pins: dict[str, set[str]] = {}
    for folder in (ROOT, service):
        for workflow in (folder / ".github" / "workflows").glob("*.yml"):
            for action, pin in re.findall(r"uses: (\S+)@(.+)", workflow.read_text()):
                assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{action}@{pin}"
                pins.setdefault(action, set()).add(pin)
    assert {"actions/checkout", "actions/setup-python", "astral-sh/setup-uv"} <= set(pins)
    # Dependabot does not read ci.yml.jinja: copy the line from template.yml.
    assert {action: found for action, found in pins.items() if len(found) > 1} == {}


def test_checkouts_leave_no_token_to_installed_packages(service: Path) -> None:
    for folder in (ROOT, service):
        for workflow in (folder / ".github" / "workflows").glob("*.yml"):
            for job in yaml.safe_load(workflow.read_text())["jobs"].values():
                [checkout] = [s for s in job["steps"] if "actions/checkout" in s.get("uses", "")]
                assert checkout["with"]["persist-credentials"] is False, workflow


def test_workflow_of_a_service_tests_every_supported_version_of_python(service: Path) -> None:
    workflow = yaml.safe_load((service / ".github" / "workflows" / "ci.yml").read_text())
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13", "3.14"]
