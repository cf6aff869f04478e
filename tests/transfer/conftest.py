"""The databases of transfers."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from harness.servers import Server


@pytest.fixture
def database(tmp_path: Path, servers: Callable[[str], Server]) -> Iterator[Callable[[str], str]]:
    """Creates an empty database; returns its URL."""
    made = []

    def new(kind: str) -> str:
        name = f"transfer_{uuid4().hex}"
        if kind == "sqlite":
            sqlite3.connect(tmp_path / f"{name}.db").close()
            return f"sqlite:///{tmp_path / name}.db"
        server = servers(kind)
        server.create_database(name)
        if kind == "postgresql":
            server.execute(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
        made.append((server, name))
        return f"{kind}://{server.address}/{name}"

    yield new
    for server, name in made:
        server.drop_database(name)
