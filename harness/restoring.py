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
from harness.sites import LIVE, RESTORED, Site
from harness.waiting import eventually

CLIENTS = 4
CREDITS = 100_000
TEXTS = ["back \\n slash \\", "café 🐟", "O'Brien", 'a \\" quote', "100 % -- ; --"]

BLOCK = re.compile(r"(?:^On (\w+):\n\n)?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# A credit becomes a task: their total is constant in a consistent backup.
ENDPOINTS = """
from uuid import UUID, uuid4  # noqa: E402

from sqlalchemy import func, select, update  # noqa: E402

from app.database import ReadSession, Session  # noqa: E402
from app.models import Budget, Task, TaskStatus  # noqa: E402


@app.post("/spend/{budget_id}/{project_id}/{title}")
async def spend(session: Session, budget_id: UUID, project_id: UUID, title: str) -> None:
    budget = update(Budget).where(Budget.id == budget_id)
    await session.execute(budget.values(credits=Budget.credits - 1))
    task = Task(project_id=project_id, title=title, status=TaskStatus.DONE, priority=1)
    session.add(task)


@app.get("/accounts/{project_id}")
async def accounts(session: ReadSession, project_id: UUID) -> tuple[int, list[str]]:
    credits = await session.scalar(select(func.sum(Budget.credits)))
    titles = await session.scalars(select(Task.title).where(Task.project_id == project_id))
    return int(credits or 0), list(titles)


@app.post("/orphan")
async def orphan(session: Session) -> None:
    session.add(Task(project_id=uuid4(), title="", status=TaskStatus.TODO, priority=1))
"""


@dataclass(frozen=True)
class Spent:
    """A response to `/spend`, with the title of its task."""

    title: str
    sent: float
    received: float
    status: int


def commands(document: Path, vendor: str) -> list[str]:
    """The shell blocks of a document, without those for other vendors."""
    blocks = BLOCK.findall(document.read_text())
    return [block for only, block in blocks if only in ("", vendor)]


@contextmanager
def spending(service: Running, paths: list[str]) -> Iterator[list[Spent]]:
    """A client for each path that spends credits while the block runs: the responses so far."""
    responses: list[Spent] = []
    stopping = Event()

    def spend(path: str) -> None:
        while not stopping.is_set():
            title, sent = uuid4().hex, time.monotonic()
            status = service.client.post(f"{path}/{title}").status_code
            responses.append(Spent(title, sent, time.monotonic(), status))

    with ThreadPoolExecutor(len(paths)) as threads:
        clients = [threads.submit(spend, path) for path in paths]
        try:
            yield responses
        finally:
            stopping.set()
    for client in clients:
        client.result()


def drill(service: Service, site: Site) -> None:
    """Back up the database while clients write, lose it, restore the backup, check it and use it.

    Raises `AssertionError` if a command fails, or if the restored database is not what was
    committed when the backup began or a little later.
    """
    back_up, restore, check = commands(service.folder / "docs" / "operating.md", site.vendor)
    main = service.folder / "app" / "main.py"
    main.write_text(main.read_text() + ENDPOINTS)
    path = f"{site.programs}:{Path(sys.executable).parent}:{service.variables['PATH']}"

    def run(block: str, database: str, variables: Mapping[str, str] = {}) -> str:
        every = {"PATH": path, "DATABASE_URL": site.url(database), **variables}
        return service.succeed("sh", "-euc", block, **every)

    run("alembic upgrade head", LIVE)
    with serving(service, site.url(LIVE), database_lock_timeout=60) as running:
        budgets = [create(running, "budgets", credits=CREDITS, name=str(n)) for n in range(CLIENTS)]
        spent, kept = (create(running, "projects", name=name) for name in ("Spent", "Kept"))
        for text in TEXTS:
            create(running, f"projects/{kept}/tasks", title=text)
        before = running.call("GET", f"/api/v1/projects/{kept}")
        paths = [f"/spend/{budget}/{spent}" for budget in budgets]
        with spending(running, paths) as responses:
            eventually(lambda: len(responses) >= 20 * CLIENTS)
            began = time.monotonic()
            site.overlap(lambda: run(back_up, LIVE, site.as_service), lambda: len(responses))
            ended = time.monotonic()
        assert {response.status for response in responses} == {200}, running.log

    site.lose()
    printed = run(restore, RESTORED, site.as_administrator)
    assert re.fullmatch(site.restoring_prints, printed.strip()), printed
    assert "Writing: wrote a row, read it and rolled it back" in run(check, RESTORED)
    with serving(service, site.url(RESTORED)) as running:
        total, titles = running.call("GET", f"/accounts/{spent}")
        assert {response.title for response in responses if response.received < began} <= {*titles}
        assert {*titles} <= {response.title for response in responses if response.sent < ended}
        assert total + len(titles) == CLIENTS * CREDITS
        assert running.call("GET", f"/api/v1/projects/{kept}") == before
        running.call("POST", f"{paths[0]}/again")
        duplicate = running.call("POST", "/api/v1/projects", {"name": "Kept"}, status=409)
        assert duplicate["code"] == "unique"
        assert running.call("POST", "/orphan", status=409)["code"] == "foreign_key"


def create(service: Running, resource: str, **body: object) -> str:
    """The ID of a new resource."""
    return str(service.call("POST", f"/api/v1/{resource}", body, status=201)["id"])
