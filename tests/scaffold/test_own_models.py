"""References to models that the owner wrote, and to names with a number."""

from collections.abc import Callable

import pytest

from harness.projects import write_migration
from harness.variants import Variant
from tests.scaffold.conftest import Owner

MODEL = """

class HTTPEndpoint(Base):
    __tablename__ = "http_endpoints"

    id: Mapped[PrimaryKey]
    url: Mapped[str] = mapped_column(String(100))
"""
CRUD = """

class HTTPEndpointNotFound(NotFound):
    detail = "Endpoint not found."


async def get_http_endpoint(session: Reader, http_endpoint_id: UUID) -> HTTPEndpoint:
    endpoint = await session.scalar(
        select(HTTPEndpoint).where(HTTPEndpoint.id == http_endpoint_id)
    )
    if endpoint is None:
        raise HTTPEndpointNotFound
    return endpoint
"""
FIXTURE = """

@pytest.fixture(name="http_endpoint")
async def _http_endpoint(session: AsyncSession) -> HTTPEndpoint:
    http_endpoint = HTTPEndpoint(url="https://example.com")
    session.add(http_endpoint)
    await session.commit()
    return http_endpoint
"""
# What the tests import, and below which line.
IMPORTS = {
    "tests/conftest.py": (
        'of the listed modules, and your own."""\n\n',
        "import pytest\nfrom sqlalchemy.ext.asyncio import AsyncSession\n\n"
        "from app.models import HTTPEndpoint\n",
    ),
    "tests/authorization.py": (
        "from typing import Any\n",
        "from uuid import UUID\nfrom app.models import HTTPEndpoint\n",
    ),
    "app/crud.py": ("from uuid import UUID\n", "from app.models import HTTPEndpoint\n"),
}


@pytest.mark.nightly
def test_rows_of_no_user_and_names_with_a_number_can_be_referred_to(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("aiosqlite", "flat", "jwt"))
    for name, code in (
        ("app/models.py", MODEL),
        ("app/crud.py", CRUD),
        ("tests/conftest.py", FIXTURE),
    ):
        path = owner.folder / name
        path.write_text(path.read_text() + code)
    for name, (before, imports) in IMPORTS.items():
        owner.edit(name, before, f"{before}{imports}")
    migrate(owner)
    reference = "http_endpoint:ref"
    assert "http_endpoint_id, the ID of a row, in `PUBLIC_VALUES`" in owner.refused(
        "hook", reference
    )
    owner.edit(
        "tests/authorization.py",
        "PUBLIC_VALUES: dict[str, Any] = {\n",
        "ENDPOINT_ID = UUID(int=1)\nPUBLIC_VALUES: dict[str, Any] = {\n"
        '    "http_endpoint_id": ENDPOINT_ID,\n    "old_endpoint_ids": [ENDPOINT_ID],\n',
    )
    owner.edit(
        "tests/authorization.py",
        "    return rows\n",
        '    await session.merge(HTTPEndpoint(id=ENDPOINT_ID, url="https://example.com"))\n'
        "    await session.flush()\n    return rows\n",
    )
    tidy(owner)
    owner.commit()
    owner.add("hook", reference, "old_endpoints:refs:http_endpoint")
    owner.add("tier_2", "title:str")
    owner.add("ride", "tier_2:ref", "tier_2s:refs:tier_2")
    owner.check()
    tests = ("hooks", "tier_2s", "rides", "authorization")
    files = [f"tests/test_{name}.py" for name in tests]
    assert " passed" in owner.run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *files)


MOVED = """

squawk_ignore = ["ban-set-schema"]


def upgrade() -> None:
    op.execute("CREATE SCHEMA shop")
    for table in ("projects", "tasks"):
        op.execute(f"ALTER TABLE {table} SET SCHEMA shop")


def downgrade() -> None:
    for table in ("projects", "tasks"):
        op.execute(f"ALTER TABLE shop.{table} SET SCHEMA public")
    op.execute("DROP SCHEMA shop")
"""


@pytest.mark.nightly
def test_tables_can_be_in_a_schema_of_postgresql(owner_of: Callable[[Variant], Owner]) -> None:
    owner = owner_of(Variant("asyncpg", "by_feature"))
    owner.edit("app/core/models.py", "MetaData(\n", 'MetaData(\n        schema="shop",\n')
    owner.edit("app/tasks/models.py", '"projects.id"', '"shop.projects.id"')
    path = write_migration(owner.folder, "202601010000_0002_moved.py", "", follows="0001")
    head, _, _ = path.read_text().partition("def upgrade")
    path.write_text(f'"""Move the tables."""\n{head.rstrip()}{MOVED}')
    path.write_text(path.read_text().replace("import sqlalchemy as sa\n", ""))
    tidy(owner)
    owner.commit()
    assert "has a table projects already" in owner.refused("project", "name:str")
    owner.add("trip", "title:str", "project:ref", "last:ref:task:optional")
    owner.add("trip", "code:uuid:optional:unique", "rank:int:sort", "next:ref:task:optional")
    owner.check()
    tests = ("tests/test_trips.py", "tests/core/test_migration_safety.py")
    owner.run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)


def tidy(owner: Owner) -> None:
    owner.run("ruff", "check", "--no-cache", "--select", "I", "--fix", "--quiet", ".")
    owner.run("ruff", "format", "--no-cache", "--quiet", ".")


def migrate(owner: Owner) -> None:
    tidy(owner)
    owner.run("alembic", "upgrade", "head")
    owner.run("alembic", "revision", "--autogenerate", "-m", "Own tables")
    owner.commit()
