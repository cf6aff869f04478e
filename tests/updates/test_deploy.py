"""Updates that add files for a deployment to a service with edits."""

from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import Project, Template
from harness.variants import DEPLOYMENTS, STRUCTURES
from tests.updates import owner


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
