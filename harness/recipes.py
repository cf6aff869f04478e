"""Running the recipes in a service, with the migrations and tests in them."""

import inspect
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sybil import Example

from harness.guides import Guide


class Recipes(Guide):
    def python(self, example: Example) -> None:
        super().python(example)
        names = vars(self.module)
        if names.pop("upgrade", None):
            self.loop.run(self.migrate(example.parsed))
        for name in [name for name in names if name.startswith("test_")]:
            self.loop.run(self.test(names.pop(name)))

    async def migrate(self, code: str) -> None:
        """Upgrade the database, with this code as the newest migration."""
        head = ScriptDirectory("migrations").get_current_head()
        revision = f"{len(self.executed)}"
        header = f'import sqlalchemy as sa\nfrom alembic import op\nrevision = "{revision}"\n'
        migration = Path("migrations", "versions", f"2_{revision}.py")
        migration.write_text(f'{header}down_revision = "{head}"\n\n{code}')
        run_alembic = import_module("tests.core.support").run_alembic
        async with self.module.database.engine.connect() as connection:
            await run_alembic(connection, command.upgrade, "head")
            await connection.commit()

    async def test(self, test: Callable[..., Awaitable[None]]) -> None:
        """Run a test of an endpoint of the guide."""
        names: dict[str, Any] = dict(vars(self.module))
        settings = import_module("app.settings").Settings()
        app = names["app"] = import_module("app.factory").create_app(settings)
        app.include_router(names["router"])
        async with (
            app.router.lifespan_context(app),
            import_module("tests.core.live_server").live_client_of(app) as names["live_client"],
        ):
            await test(*(names[name] for name in inspect.signature(test).parameters))
