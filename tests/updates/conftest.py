"""Fixtures: the template with its releases, made once, and a copy for tests that release more."""

from pathlib import Path

import pytest

from tests.updates.projects import Template
from tests.variants import STRUCTURES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`lived_in` is the structure of a service with edits and rows."""
    everything = metafunc.config.getoption("all")
    if "lived_in" in metafunc.fixturenames:
        metafunc.parametrize("lived_in", STRUCTURES if everything else STRUCTURES[:1])


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The released versions and the work tree; tests must not change it."""
    return Template.clone(tmp_path_factory.mktemp("upstream") / "template")


@pytest.fixture
def own_upstream(upstream: Template, tmp_path: Path) -> Template:
    """As `upstream`, for a test that makes a release of its own."""
    return upstream.copy(tmp_path / "template")
