"""Manifests for Kubernetes: their schemas, and what they have in common with the other files."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from harness.settings import defaults_of_settings
from harness.variants import FAMILIES, SELECTION, Variant

Rendered = Callable[[Variant], Path]
Manifest = dict[str, Any]

# They are rendered anyway: one for each database, and others with another set of manifests.
CHOSEN = [v for v in SELECTION if "kubernetes" in v.deploy]
WITHOUT_JOBS = next(v for v in CHOSEN if v.driver != "aiosqlite" and v.jobs == "none")
WITHOUT_SECRETS = Variant("aiosqlite", examples=(), deploy=("kubernetes",))
WITHOUT_KUBERNETES = next(v for v in SELECTION if "kubernetes" not in v.deploy)
WITH_JOBS = {FAMILIES[v.driver]: v for v in CHOSEN if v.jobs == "database"}
VARIANTS = [*WITH_JOBS.values(), WITHOUT_JOBS]
# The oldest version that the guide names, and the newest one of the schemas.
VERSIONS = ["1.31", kubernetes_validate.latest_version()]
ENVIRONMENT_FILE = re.compile(r"^ *```ini\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Variables that are not settings.
PYTHON_VARIABLES = {"PYTHON_CPU_COUNT"}


class Manifests:
    """The manifests of a service, as its kustomization combines them."""

    def __init__(self, service: Path) -> None:
        self.service = service
        folder = service / "deploy" / "kubernetes"
        self.files = {
            path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.iterdir())
        }
        self.kustomization = self.files.pop("kustomization.yaml")

    def pods(self) -> dict[str, Manifest]:
        """The pod of each component."""
        templates = (each["spec"].get("template") for each in self.files.values())
        return {
            pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["spec"]
            for pod in templates
            if pod
        }

    def containers(self) -> Iterator[tuple[Manifest, Manifest]]:
        """Each container with its pod."""
        for pod in self.pods().values():
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                yield pod, container

    def settings(self) -> dict[str, str]:
        [generated] = self.kustomization["configMapGenerator"]
        return dict(each.split("=", 1) for each in generated["literals"])

    def secrets(self) -> dict[str, str]:
        """The variables of the example in the guide."""
        guide = (self.service / "docs" / "operating.md").read_text()
        section = re.split(r"^## ", guide.partition("\n## Kubernetes\n")[2], flags=re.M)[0]
        blocks = ENVIRONMENT_FILE.findall(section)
        return dict(line.strip().split("=", 1) for text in blocks for line in text.splitlines())


@pytest.fixture(params=VARIANTS, ids=str)
def manifests(rendered: Rendered, request: pytest.FixtureRequest) -> Manifests:
    return Manifests(rendered(request.param))


def test_manifests_of_every_database_are_tested() -> None:
    assert WITH_JOBS.keys() == {*FAMILIES.values()}


def test_manifests_conform_to_their_schemas_without_unknown_fields(manifests: Manifests) -> None:
    for manifest in manifests.files.values():
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_guide_names_the_oldest_version_of_kubernetes(manifests: Manifests) -> None:
    guide = (manifests.service / "docs" / "operating.md").read_text()
    assert f"Kubernetes {VERSIONS[0]} or newer" in guide


def test_kustomization_has_every_manifest_and_the_name_of_their_image(
    manifests: Manifests,
) -> None:
    assert manifests.kustomization.keys() == {
        "apiVersion",
        "kind",
        "resources",
        "images",
        "configMapGenerator",
    }
    assert manifests.kustomization["resources"] == [*manifests.files]
    [image] = manifests.kustomization["images"]
    assert image.keys() == {"name", "newName", "newTag"}
    assert isinstance(image["newTag"], str)
    assert {container["image"] for _, container in manifests.containers()} == {image["name"]}


def test_pods_are_as_restricted_as_the_strictest_security_standard(manifests: Manifests) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    [user] = re.findall(r"^USER (\d+)$", (manifests.service / "Dockerfile").read_text(), re.M)
    for pod, container in manifests.containers():
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == int(user)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }


def test_containers_can_write_only_to_volumes(manifests: Manifests) -> None:
    compose = yaml.safe_load((manifests.service / "compose.yaml").read_text())
    volumes = compose["services"]["service"].get("volumes", [])
    data = {volume.partition(":")[2] for volume in volumes}
    for pod, container in manifests.containers():
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert {*mounts.values()} == {"/tmp", *data}
        assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
        assert "emptyDir" in pod["volumes"][0]
    if "stateful-set.yaml" in manifests.files:
        stateful_set = manifests.files["stateful-set.yaml"]["spec"]
        [claim] = stateful_set["volumeClaimTemplates"]
        [api] = stateful_set["template"]["spec"]["containers"]
        mount = {"name": claim["metadata"]["name"], "mountPath": "".join(data)}
        assert mount in api["volumeMounts"]
        context = stateful_set["template"]["spec"]["securityContext"]
        assert context["fsGroup"] == context["runAsUser"]
        assert manifests.settings()["DATABASE_URL"].startswith(f"sqlite:///{mount['mountPath']}/")


def test_containers_run_what_compose_runs_for_as_long(manifests: Manifests) -> None:
    compose = yaml.safe_load((manifests.service / "compose.yaml").read_text())["services"]
    names = {"api": "service", "migrate": "migrate", "worker": "worker"}
    for pod, container in manifests.containers():
        other = compose[names[container["name"]]]
        assert container.get("args") == other.get("command")
        assert "command" not in container
        if "stop_grace_period" in other:
            seconds = pod["terminationGracePeriodSeconds"]
            assert other["stop_grace_period"] == f"{seconds}s"
    dockerfile = (manifests.service / "Dockerfile").read_text()
    assert "\nENTRYPOINT" not in dockerfile  # `args` replace CMD


def test_probes_are_those_of_other_guides_on_the_port_of_the_service(
    manifests: Manifests, rendered: Rendered
) -> None:
    [api] = manifests.pods()["api"]["containers"]
    defaults = defaults_of_settings(manifests.service)
    [port] = api["ports"]
    assert port == {"name": "http", "containerPort": int(defaults["PORT"] or 0)}
    assert f"\nEXPOSE {port['containerPort']}\n" in (manifests.service / "Dockerfile").read_text()
    assert "PORT" not in manifests.settings()
    [published] = manifests.files["service.yaml"]["spec"]["ports"]
    assert published["targetPort"] == port["name"]
    guide = (rendered(WITHOUT_KUBERNETES) / "docs" / "operating.md").read_text()
    [block] = re.findall(r"^```yaml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    described = yaml.safe_load(block.replace(f"port: {port['containerPort']}", "port: http"))
    probes = {name: api[name] for name in described}
    assert probes == described
    assert api["startupProbe"]["httpGet"] == probes["livenessProbe"]["httpGet"]


def test_selectors_match_the_labels_of_one_kind_of_pod(manifests: Manifests) -> None:
    found = []
    for manifest in manifests.files.values():
        labels, spec = manifest["metadata"]["labels"], manifest["spec"]
        selectors = [spec["selector"]] if "selector" in spec else []
        if "template" in spec:
            assert spec["template"]["metadata"]["labels"] == labels
            found.append(labels)
            pod = spec["template"]["spec"]
            selectors += [
                each["labelSelector"] for each in pod.get("topologySpreadConstraints", [])
            ]
        for selector in selectors:
            assert selector.get("matchLabels", selector) == labels
    components = [labels["app.kubernetes.io/component"] for labels in found]
    assert len(set(components)) == len(found)
    for name in manifests.files.keys() & {"service.yaml", "disruption-budget.yaml"}:
        labels = manifests.files[name]["metadata"]["labels"]
        assert labels in found
        assert labels["app.kubernetes.io/component"] == "api"


def test_rollouts_and_drains_leave_replicas_that_serve(manifests: Manifests) -> None:
    if "deployment.yaml" not in manifests.files:
        assert manifests.files["stateful-set.yaml"]["spec"]["replicas"] == 1
        assert "disruption-budget.yaml" not in manifests.files  # no node could be drained
        return
    deployment = manifests.files["deployment.yaml"]["spec"]
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    allowed = manifests.files["disruption-budget.yaml"]["spec"]["maxUnavailable"]
    assert deployment["replicas"] > allowed


def test_settings_are_settings_of_the_service_and_none_is_a_secret(manifests: Manifests) -> None:
    settings, secrets = manifests.settings(), manifests.secrets()
    known = defaults_of_settings(manifests.service)
    assert {*settings} - PYTHON_VARIABLES <= {*known}
    assert {*secrets} <= {*known}
    assert settings.keys().isdisjoint(secrets)
    required = {name for name, default in known.items() if default is None}
    assert required <= settings.keys() | secrets.keys()
    values = (manifests.service / "app" / "settings.py").read_text()
    hidden = {name.upper() for name in re.findall(r"^    (\w+): SecretStr", values, re.MULTILINE)}
    assert settings.keys() & hidden <= {"DATABASE_URL"}
    for _, container in manifests.containers():
        references = [each for source in container["envFrom"] for each in source]
        assert references == ["configMapRef", *(["secretRef"] if secrets else [])]
        assert "env" not in container


def test_jobs_run_in_a_worker_or_in_the_process_that_has_the_database(
    rendered: Rendered,
) -> None:
    for variant in VARIANTS:
        manifests = Manifests(rendered(variant))
        on_sqlite, jobs = variant.driver == "aiosqlite", variant.jobs == "database"
        worker = {"worker"} if jobs and not on_sqlite else set[str]()
        assert manifests.pods().keys() == {"api"} | (set() if on_sqlite else {"migrate"}) | worker
        in_process = manifests.settings().get("JOBS_IN_PROCESS")
        assert in_process == ("true" if jobs and on_sqlite else None)


@pytest.mark.nightly
def test_no_secret_is_needed_without_a_password(rendered: Rendered) -> None:
    manifests = Manifests(rendered(WITHOUT_SECRETS))
    assert manifests.secrets() == {}
    for _, container in manifests.containers():
        assert [{*source} for source in container["envFrom"]] == [{"configMapRef"}]
