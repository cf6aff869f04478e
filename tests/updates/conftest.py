"""Fixtures: the template with its releases, made once, and a copy for tests that release more."""

from pathlib import Path

import pytest

from tests.updates.projects import Template


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The released versions and the work tree; tests must not change it."""
    return Template.clone(tmp_path_factory.mktemp("upstream") / "template")


@pytest.fixture
def own_upstream(upstream: Template, tmp_path: Path) -> Template:
    """As `upstream`, for a test that makes a release of its own."""
    return upstream.copy(tmp_path / "template")
