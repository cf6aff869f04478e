"""A restore drill: what a service's `docs/operating.md` says, carried out under load."""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import uuid4

from harness.running import Running, serving
from harness.services import Service
from harness.sites import Site
from harness.waiting import eventually

CLIENTS = 4
CREDITS = 100_000
# So many that a backup takes a while.
OTHER_BUDGETS = 10_000
# The first has several lines.
TEXTS = ["A line\nand \\n another\ttab", "café 🐟", "O'Brien", 'a \\" quote', "100 % -- ; --"]

BLOCK = re.compile(r"(?:^On (\w+):\n\n)?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# A credit becomes a project: their total is constant in a consistent backup.
ENDPOINTS = f"""
from uuid import UUID, uuid4  # noqa: E402

from sqlalchemy import func, insert, select, update  # noqa: E402

from app.database import ReadSession, Session  # noqa: E402
from app.models import Budget, Project, Task, TaskStatus  # noqa: E402


@app.post("/spend/{{budget_id}}/{{name}}")
async def spend(session: Session, budget_id: UUID, name: str) -> None:
    budget = update(Budget).where(Budget.id == budget_id)
    await session.execute(budget.values(credits=Budget.credits - 1))
    session.add(Project(name=name, description="Spent"))


@app.post("/others")
async def create_others(session: Session) -> None:
    rows = [{{"name": f"Other {{n}}", "credits": 0}} for n in range({OTHER_BUDGETS})]
    await session.execute(insert(Budget), rows)


@app.get("/accounts")
async def accounts(session: ReadSession) -> tuple[int, int, list[str]]:
    count, credits = (await session.execute(select(func.count(), func.sum(Budget.credits)))).one()
    names = await session.scalars(select(Project.name).where(Project.description == "Spent"))
    return count, int(credits), list(names)


@app.post("/orphan")
async def orphan(session: Session) -> None:
    session.add(Task(project_id=uuid4(), title="", status=TaskStatus.TODO, priority=1))
"""


@dataclass(frozen=True)
class Spent:
    """A response to `/spend`."""

    name: str
    sent: float
    received: float
    status: int


def commands(document: Path, vendor: str) -> list[str]:
    """The shell blocks of a document, without those for other vendors."""
    blocks = BLOCK.findall(document.read_text())
    return [block for only, block in blocks if only in ("", vendor)]


@contextmanager
def spending(service: Running, budgets: list[str]) -> Iterator[list[Spent]]:
    """Clients that spend credits while the block runs: the responses so far."""
    responses: list[Spent] = []
    stopping = Event()

    def spend(budget: str) -> None:
        while not stopping.is_set():
            name, sent = uuid4().hex, time.monotonic()
            status = service.client.post(f"/spend/{budget}/{name}").status_code
            responses.append(Spent(name, sent, time.monotonic(), status))

    with ThreadPoolExecutor(len(budgets)) as threads:
        clients = [threads.submit(spend, budget) for budget in budgets]
        try:
            yield responses
        finally:
            stopping.set()
    for client in clients:
        client.result()


def drill(service: Service, site: Site) -> None:
    """Back up the database while clients write, lose it, restore and check the backup, and use it.

    Raises `AssertionError` if a command fails, or if a row is lost or only half there.
    """
    back_up, restore, check = commands(service.folder / "docs" / "operating.md", site.vendor)
    main = service.folder / "app" / "main.py"
    main.write_text(main.read_text() + ENDPOINTS)
    path = f"{site.programs}:{Path(sys.executable).parent}:{service.variables['PATH']}"

    def run(block: str, url: str, variables: Mapping[str, str]) -> str:
        every = {"PATH": path, "DATABASE_URL": url, **variables}
        return service.succeed("sh", "-euc", block, **every)

    run("alembic upgrade head", site.live, {})
    with serving(service, site.live) as running:
        budgets = [
            running.call("POST", "/api/v1/budgets", {"name": name, "credits": CREDITS}, status=201)
            for name in map(str, range(CLIENTS))
        ]
        running.call("POST", "/others")
        project = create_project(running)
        kept = running.call("GET", project)
        with spending(running, [budget["id"] for budget in budgets]) as responses:
            eventually(lambda: len(responses) >= 20 * CLIENTS)
            began = time.monotonic()
            run(back_up, site.live, site.as_service)
            ended = time.monotonic()
        assert {response.status for response in responses} == {200}, running.log
    during = [r for r in responses if r.sent > began and r.received < ended]
    assert during, "the service did not respond during the backup"

    site.lose()
    printed = run(restore, site.restored, site.as_administrator)
    assert re.fullmatch(site.prints, printed.strip()), printed
    assert "Writing: wrote a row, read it and rolled it back" in run(check, site.restored, {})
    run("alembic check", site.restored, {})  # every table and index is there
    with serving(service, site.restored) as running:
        count, total, names = running.call("GET", "/accounts")
        assert {r.name for r in responses if r.received < began} <= set(names)
        assert set(names) <= {r.name for r in responses if r.sent < ended}
        assert total + len(names) == CLIENTS * CREDITS
        assert count == CLIENTS + OTHER_BUDGETS
        assert running.call("GET", project) == kept
        use(running, budgets[0]["id"], names[0])


def create_project(service: Running) -> str:
    """The path of a project with tasks."""
    body = {"name": "Kept", "description": TEXTS[0]}
    project = service.call("POST", "/api/v1/projects", body, status=201)
    path = f"/api/v1/projects/{project['id']}"
    for title in TEXTS[1:]:
        service.call("POST", f"{path}/tasks", {"title": title}, status=201)
    return path


def use(service: Running, budget: str, name: str) -> None:
    """Rows can be written, and constraints are enforced."""
    service.call("POST", f"/spend/{budget}/{uuid4()}")
    duplicate = service.call("POST", "/api/v1/projects", {"name": name}, status=409)
    assert duplicate["code"] == "unique"
    assert service.call("POST", "/orphan", status=409)["code"] == "foreign_key"
