"""Updates that add files for a deployment to a service with edits."""

from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import Project, Template
from harness.variants import DEPLOYMENTS, STRUCTURES
from tests.updates import owner

# Where an owner adds lines to a kustomization, and what.
BELOW = "go below this line: what updates add comes above it.\n"
ADDITIONS = {
    f"  # Your own manifests {BELOW}": "  - ingress.yaml\n",
    f"      # Your own settings {BELOW}": "      - LOG_LEVEL=WARNING\n",
}


@pytest.mark.parametrize(
    ("version", "structure"),
    [
        ("2.7.0", "flat"),
        *(nightly("2.7.0", structure) for structure in STRUCTURES if structure != "flat"),
        *(nightly("1.0.0", structure) for structure in STRUCTURES),
    ],
)
def test_deployment_is_added_without_conflicts(
    upstream: Template, tmp_path: Path, version: str, structure: str
) -> None:
    project = Project.copy(upstream, tmp_path / "project", version, structure=structure)
    owner.make_additions(project, structure)
    project.commit()
    project.update(deploy=list(DEPLOYMENTS))
    assert project.conflicts() == set()
    assert set(owner.lost_edits(project, structure)) == owner.NOT_DELETED
    added = {
        "deploy/kubernetes/kustomization.yaml",
        "deploy/systemd/my-service-migrate.service",
        ".gitlab-ci.yml",
    }
    assert added <= project.files().keys()
    project.commit()
    project.update(deploy=[])
    assert added.isdisjoint(project.files())
    assert set(owner.lost_edits(project, structure)) == owner.NOT_DELETED


@pytest.mark.nightly
def test_edits_of_manifests_are_kept_when_answers_change(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", driver="asyncpg", deploy=["kubernetes"])
    edited, own = "deploy/kubernetes/kustomization.yaml", "deploy/kubernetes/ingress.yaml"
    project.replace(edited, "registry.example.com/", "registry.example.org/")
    for line, addition in ADDITIONS.items():
        project.replace(edited, line, f"{line}{addition}")
    (project.folder / own).write_text("kind: Ingress\n")
    project.commit()
    project.update(jobs="database", auth="jwt", mail="smtp")
    assert project.conflicts() == set()
    text = project.files()[edited]
    for line in ("registry.example.org/", *ADDITIONS.values()):
        assert line in text
    for line in ("- worker.yaml", "- PYTHON_CPU_COUNT=2", "- MAIL_FROM="):
        assert line in text
    project.commit()
    project.update(deploy=[])
    assert [name for name in project.files() if name.startswith("deploy/")] == [own]
