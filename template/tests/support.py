"""What several test modules use besides fixtures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


async def run_alembic(
    connection: AsyncConnection, command: Callable[..., object], *arguments: Any
) -> None:
    """Run one of `alembic.command`'s functions over a connection without a transaction."""

    def run(sync_connection: Connection) -> None:
        config = Config(toml_file=PYPROJECT, attributes={"connection": sync_connection})
        command(config, *arguments)

    await connection.run_sync(run)
