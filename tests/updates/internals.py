"""Edits of an owner who adds to engines, pools, middleware and column types, by files of `flat`."""

from harness.projects import Project, write_migration
from harness.running import succeed_in
from harness.services import Service
from tests.updates import owner

SCHEMAS_LINE = "# Your own schemas go below this line: what updates add comes above it.\n"
OWN_ROUTERS = "    # Your own go below this line.\n"

MODELS = """
class Cents(TypeDecorator[Decimal]):
    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _: Dialect) -> int | None:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: int | None, _: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 100


class Price(Base):
    __tablename__ = "prices"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(50))
    amount: Mapped[Decimal] = mapped_column(Cents)

    @property
    def label(self) -> str:
        return f"{self.name}: {self.amount:.2f}"
"""
SCHEMAS = """
class PriceRead(Output):
    label: str
    amount: Decimal

    @property
    def is_free(self) -> bool:
        return not self.amount
"""
WATCHING = '''"""How many statements a request executes."""

from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

executed: ContextVar[list[str]] = ContextVar("executed")
checkouts: list[object] = []


def watch(engine: AsyncEngine) -> None:
    event.listen(engine.sync_engine, "before_cursor_execute", _add)
    event.listen(engine.sync_engine.pool, "checkout", _count)


def _add(_: Any, __: Any, statement: str, *___: Any) -> None:
    executed.get([]).append(statement)


def _count(connection: object, *_: object) -> None:
    checkouts.append(connection)


class StatementsMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        statements: list[str] = []
        executed.set(statements)

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-statements", str(len(statements)).encode()))
            await send(message)

        await self.app(scope, receive, send_with_header)
'''
ROUTES = '''"""Prices."""

from decimal import Decimal

from fastapi import APIRouter, Request
from sqlalchemy import func, select

from app.database import Database, ReadSession, Session
from app.models import Price
from app.schemas import PriceRead

prices_router = APIRouter(prefix="/prices", tags=["prices"])


@prices_router.post("/{name}/{amount}", status_code=201, response_model=PriceRead)
async def create_price(session: Session, name: str, amount: Decimal) -> Price:
    price = Price(name=name, amount=amount)
    session.add(price)
    await session.flush()
    return price


@prices_router.get("", response_model=list[PriceRead])
async def list_prices(session: ReadSession) -> list[Price]:
    return list(await session.scalars(select(Price).order_by(Price.name)))


@prices_router.get("/count")
async def count_prices(request: Request) -> int | None:
    database: Database = request.app.state.database
    async with database.read_engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(Price))
'''
TESTS = '''"""Prices."""

import pytest
from httpx2 import AsyncClient

from app.schemas import PriceRead
from app.watching import checkouts


@pytest.mark.real_commits
async def test_prices_are_listed_and_their_statements_counted(client: AsyncClient) -> None:
    for path in ("tea/1.50", "air/0"):
        assert (await client.post(f"/api/v1/prices/{path}")).status_code == 201
    assert (await client.get("/api/v1/prices/count")).json() == 2
    for _ in range(2):
        before = len(checkouts)
        listed = await client.get("/api/v1/prices")
        prices = [PriceRead.model_validate(each) for each in listed.json()]
        assert [(price.label, price.is_free) for price in prices] == [
            ("air: 0.00", True),
            ("tea: 1.50", False),
        ]
        assert listed.headers["X-Statements"] == "1"
        assert len(checkouts) == before + 1
'''
MIGRATION = """op.create_table(
        "prices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
    )


def downgrade() -> None:
    op.drop_table("prices")"""
FILL = """
import asyncio
from decimal import Decimal
from app.database import Database
from app.models import Price
from app.settings import Settings

async def fill():
    database = Database(Settings())
    async with database.write() as session:
        session.add(Price(name="tea", amount=Decimal("1.50")))
        await session.commit()
    await database.dispose()

asyncio.run(fill())
"""
SHOW = """
import asyncio
from sqlalchemy import select
from app.database import Database
from app.models import Price
from app.settings import Settings

async def show():
    database = Database(Settings())
    for _ in range(2):
        print([price.label for price in await database.read().scalars(select(Price))])
    await database.dispose()

asyncio.run(show())
"""


def add(project: Project) -> None:
    """Add prices, a middleware, and listeners to each engine and its pool."""
    is_first_release = "\n_commit: 1." in (project.folder / ".copier-answers.yml").read_text()
    routes, tests = ROUTES, TESTS
    if is_first_release:
        routes = routes.replace("database.read_engine", "database.engine")
        tests = tests.replace("httpx2", "httpx")
    (project.folder / "app" / "watching.py").write_text(WATCHING)
    (project.folder / "app" / "prices.py").write_text(routes)
    (project.folder / "tests" / "test_prices.py").write_text(tests)
    migration = write_migration(project.folder, "0002_prices.py", MIGRATION)
    migration.write_text(f'"""Prices."""\n{migration.read_text()}')
    if is_first_release:  # an update changes most of its `app/database.py`
        watching, watched = "app/factory.py", "    watch(database.engine)\n"
        insert_before(project, watching, "    @asynccontextmanager", watched)
    else:
        watching, watched = "app/database.py", "        watch(self.engine)\n"
        watched += "        if self.read_engine.pool is not self.engine.pool:\n"
        watched += "            watch(self.read_engine)"
        insert_before(project, watching, "        self.write = ", watched)
    insert_before(project, watching, "from app.settings", "from app.watching import watch")
    used = "from app.watching import StatementsMiddleware"
    insert_before(project, "app/factory.py", "from app.settings", used)
    added = "    app.add_middleware(StatementsMiddleware)"
    insert_before(project, "app/factory.py", "    return app", added)
    imports = "from decimal import Decimal\nfrom sqlalchemy import Dialect, Integer, TypeDecorator"
    insert_before(project, "app/models.py", "from sqlalchemy.orm", imports)
    project.replace("app/models.py", owner.TABLES_LINE, f"{owner.TABLES_LINE}\n{MODELS}")
    insert_before(project, "app/schemas.py", "from uuid", "from decimal import Decimal")
    project.replace("app/schemas.py", SCHEMAS_LINE, f"{SCHEMAS_LINE}\n{SCHEMAS}")
    routers = "from app.prices import prices_router"
    insert_before(project, "app/api.py", "from app.schemas", routers)
    project.replace("app/api.py", OWN_ROUTERS, f"{OWN_ROUTERS}    prices_router,\n")
    owner.tidy(project)


def insert_before(project: Project, name: str, prefix: str, line: str) -> None:
    """Insert a line before the first one that starts with a prefix."""
    path = project.folder / name
    before, found, after = path.read_text().partition(f"\n{prefix}")
    assert found, f"no line of {name} starts with {prefix}"
    path.write_text(f"{before}\n{line}{found}{after}")


def fill(service: Service, url: str) -> None:
    """Insert a price."""
    succeed_in(service, url, "python", "-c", FILL)


def show(service: Service, url: str) -> list[str]:
    """The labels of all prices, read twice: the second time by a plan if there are any."""
    return succeed_in(service, url, "python", "-c", SHOW).splitlines()[-2:]
