"""Writes the migration of models that have changed, as `alembic revision --autogenerate` does.

Runs in the folder of a service, on a database of the kind that its tests use, and then upgrades,
downgrades and upgrades this database.
"""

import asyncio
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

sys.path[0] = str(Path.cwd())


def imported(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


async def write(folder: Path) -> None:
    server_module = importlib.import_module("tests.core.server")
    async with (
        server_module.running_server(folder, "migration") as server,
        server_module.new_database(server, "migration") as url,
    ):
        settings = imported("tests.core.fixtures", "settings_with")(url)
        engine = imported("app.core.engines", "migration_engine")(settings)
        async with engine.connect() as connection:
            for run, arguments in (
                (command.upgrade, {"revision": "head"}),
                (command.revision, {"message": "Add resources", "autogenerate": True}),
                (command.upgrade, {"revision": "head"}),
                (command.downgrade, {"revision": "-1"}),
                (command.upgrade, {"revision": "head"}),
                (command.check, {}),
            ):

                def call(sync: Any, run: Any = run, arguments: Any = arguments) -> None:
                    config = Config(toml_file=Path("pyproject.toml").absolute())
                    config.attributes["connection"] = sync
                    run(config, **arguments)

                await connection.run_sync(call)
        await engine.dispose()


with tempfile.TemporaryDirectory() as parent:
    asyncio.run(write(Path(parent)))
