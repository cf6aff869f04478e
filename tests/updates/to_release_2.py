"""What the tests of the update from 1.0.0 to 2.0.0 share."""

from collections.abc import Callable

from harness.commands import succeed
from harness.projects import WORK_TREE, Project
from harness.rendering import COPIER
from harness.variants import EXAMPLES, Variant

# Between them, every module of both versions.
VARIANTS = [
    Variant("asyncpg", "flat", "jwt", EXAMPLES, "sqlite", True, idempotency=True),
    Variant("aiomysql", "layered", "jwt", EXAMPLES, "same", True, idempotency=True),
    Variant("asyncmy", "by_feature", "jwt", EXAMPLES, "sqlite", True, idempotency=True),
    Variant("psycopg", "by_feature", "jwt", EXAMPLES, "same", True, idempotency=True),
    Variant("aiosqlite", "layered", "jwt", EXAMPLES, "same", True, idempotency=True),
    Variant("aiosqlite", "flat", examples=()),
]

# A service as 1.0.0 and as 2.0.0 render it.
Versions = Callable[[Variant], tuple[Project, Project]]


def update(project: Project, version: str = WORK_TREE, **options: str) -> str:
    """`copier update --trust`; what it and the hook print."""
    command = [*COPIER, "update", "--trust", "--defaults", "-r", version]
    command += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return succeed(*command, cwd=project.folder)
