"""The rows of a service are transferred unchanged."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.rendering import ROOT, render
from harness.services import UV
from tests.transfer.services import fill, migrate, render_for_each_database
from tests.transfer.transferring import (
    SCRIPT,
    SECONDS,
    engine,
    load,
    long_on_servers,
    lossy_types,
    rows,
    transfer,
)

pytestmark = lossy_types

GUIDE = ROOT / "docs" / "guides" / "transfer.md"
# Every ordered pair of databases is a step of one of these.
RINGS = [
    ["sqlite", "postgresql", "mysql", "sqlite"],
    ["sqlite", "mysql", "postgresql", "sqlite"],
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    everything = metafunc.config.getoption("all")
    if "ring" in metafunc.fixturenames:
        metafunc.parametrize("ring", RINGS if everything else RINGS[:1], ids="-".join)


@long_on_servers
def test_rows_of_a_service_are_equal_on_every_database(
    ring: list[str], template: Path, tmp_path: Path, database: Callable[[str], str]
) -> None:
    services = render_for_each_database(template, tmp_path)
    # On PostgreSQL, summaries are a view, which is no table and has no rows to copy.
    metadata = load(services["postgresql"]).Base.metadata
    urls = [database(kind) for kind in ring]
    for kind, url in zip(ring, urls, strict=True):
        migrate(services[kind], url)
    fill(metadata, urls[0], 40)
    filled = rows(metadata, urls[0])
    assert len(filled) == 14
    for kind, old, new in zip(ring[1:], urls, urls[1:], strict=False):
        output = transfer(services[kind], old, new)
        assert output.count(" 40  ") == 14
        assert output.count("  equal\n") == 14 + (kind != "postgresql")
        assert rows(metadata, new) == filled


@long_on_servers
def test_command_of_the_guide_works(
    template: Path, tmp_path: Path, database: Callable[[str], str]
) -> None:
    service = render(template, tmp_path / "service", driver="psycopg", structure="flat")
    metadata = load(service).Base.metadata
    old, url = f"sqlite:///{service}/my_service.db", database("postgresql")
    for made in (old, url):
        metadata.create_all(engine(made))
    fill(metadata, old, 3)
    lines = {line.strip() for line in GUIDE.read_text().splitlines()}
    (tool,) = {line for line in lines if line.startswith("TOOL=")}
    (line,) = {line for line in lines if line.startswith("uv run $TOOL")}
    script = line.replace("postgresql://me@localhost/my_service", url).replace("uv ", f"{UV} ", 1)
    set_tool = tool.replace("../copier-fastapi-async", str(ROOT))
    assert url in script
    assert str(SCRIPT) in set_tool
    environment = {name: v for name, v in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PYTHON"] = sys.executable
    succeed("sh", "-c", f"{set_tool}\n{script}", cwd=service, env=environment, timeout=SECONDS)
    assert rows(metadata, url) == rows(metadata, old)
