"""Edits that an owner makes in the first months of a service, and rows of its users."""

import ast
import json
import re
import subprocess
import sys
from typing import Any

from harness.projects import Project, git
from harness.running import alembic, succeed_in
from harness.services import Service

# The modules that the owner changes, by structure.
MODELS = {
    "flat": "app/models.py",
    "layered": "app/models/task.py",
    "by_feature": "app/tasks/models.py",
}
ROUTES = {"flat": "app/api.py", "layered": "app/api/tasks.py", "by_feature": "app/tasks/routes.py"}
SCHEMAS = {
    "flat": "app/schemas.py",
    "layered": "app/schemas/task.py",
    "by_feature": "app/tasks/schemas.py",
}
NEW_MODEL = {"layered": "app/models/label.py", "by_feature": "app/labels/models.py"}
NEW_ROUTES = {"layered": "app/api/labels.py", "by_feature": "app/labels/routes.py"}
ALL_MODELS = {"layered": "app/models/__init__.py", "by_feature": "app/models.py"}
ALL_ROUTES = {"flat": "app/api.py", "layered": "app/api/__init__.py", "by_feature": "app/api.py"}
# Where 1.0.0 has base classes; later releases have them in app.core.models.
BASE = {"layered": "app.models.base", "by_feature": "app.shared.models"}

LABEL = """
class Label(Base):
    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(50))
"""
ENDPOINTS = """
labels_router = APIRouter(tags=["labels"])


@labels_router.post("/labels/{name}", status_code=201)
async def create_label(session: Session, name: str) -> str:
    session.add(Label(name=name))
    return name


@labels_router.get("/labels")
async def list_labels(session: ReadSession) -> list[str]:
    return list(await session.scalars(select(Label.name).order_by(Label.name)))
"""
TESTS = '''"""Labels."""

from httpx2 import AsyncClient


async def test_labels_are_listed_by_name(client: AsyncClient) -> None:
    for name in ("b", "a"):
        assert (await client.post(f"/api/v1/labels/{name}")).status_code == 201
    assert (await client.get("/api/v1/labels")).json() == ["a", "b"]
'''
BATCH = re.compile(r'( *)await (client\.post\(f".*)/batch", json={"tasks": tasks}\)')
TABLES_LINE = "# Your own tables go below this line: what updates add comes above it.\n"
ENDPOINTS_LINE = "# Your own endpoints go below this line: what updates add comes above it.\n"
ROUTERS_LINE = "# Your own routers go below this line: what updates add comes above it.\n"
SETTINGS_LINE = "# Your own settings go below this line: what updates add comes above it.\n"


def edit(project: Project, structure: str) -> None:
    """Make all edits, without a commit and without the migration."""
    make_additions(project, structure)
    delete_batches(project, structure)
    tidy(project)


def make_additions(project: Project, structure: str) -> None:
    """The edits that add something."""
    add_table_and_router(project, structure)
    project.replace(
        MODELS[structure],
        "    due_at: Mapped[datetime | None]\n",
        "    due_at: Mapped[datetime | None]\n    began_at: Mapped[datetime | None]\n",
    )
    project.replace(
        "app/settings.py",
        f"    {SETTINGS_LINE}",
        f'    {SETTINGS_LINE}    greeting: str = "Hello"\n',
    )
    append(project, ".env.example", "GREETING=Hello\n")
    project.replace(
        "pyproject.toml", '    "uuid-utils', '    "tenacity>=9.0",\n    "uuid-utils'
    )  # as `uv add` does
    project.replace("README.md", "An async API service.", "It keeps the plans of a garden.")
    append(project, "README.md", "\n## Who to call\n\nAda.\n")
    tidy(project)


def add_table_and_router(project: Project, structure: str) -> None:
    has_httpx2 = "httpx2" in (project.folder / "pyproject.toml").read_text()
    tests = TESTS if has_httpx2 else TESTS.replace("httpx2", "httpx")  # of an earlier release
    (project.folder / "tests" / "test_labels.py").write_text(tests)
    project.replace(
        ALL_ROUTES[structure],
        "    # Your own go below this line.\n",
        "    # Your own go below this line.\n    labels_router,\n",
    )
    if structure == "flat":
        project.replace("app/models.py", TABLES_LINE, f"{TABLES_LINE}\n{LABEL}")
        project.replace("app/api.py", ENDPOINTS_LINE, f"{ENDPOINTS_LINE}\n\n{ENDPOINTS.strip()}\n")
        project.replace("app/api.py", "from app.models import ", "from app.models import Label, ")
        project.replace(
            "app/api.py",
            "\nfrom app import crud",
            "from sqlalchemy import select\n\nfrom app import crud",
        )
        return
    module = NEW_MODEL[structure].removesuffix(".py").replace("/", ".")
    routes = NEW_ROUTES[structure].removesuffix(".py").replace("/", ".")
    base = "app.core.models" if (project.folder / "app/core").exists() else BASE[structure]
    for name in (NEW_MODEL[structure], NEW_ROUTES[structure]):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).parent.joinpath("__init__.py").touch()
    (project.folder / NEW_MODEL[structure]).write_text(
        '"""Labels."""\n\nfrom sqlalchemy import String, UniqueConstraint\n'
        "from sqlalchemy.orm import Mapped, mapped_column\n\n"
        f"from {base} import Base, PrimaryKey\n\n{LABEL}"
    )
    (project.folder / NEW_ROUTES[structure]).write_text(
        '"""The endpoints of labels."""\n\nfrom fastapi import APIRouter\n'
        "from sqlalchemy import select\n\nfrom app.database import ReadSession, Session\n"
        f"from app.models import Label\n{ENDPOINTS}"
    )
    line = f"from {module} import Label as Label\n"
    project.replace(ALL_MODELS[structure], TABLES_LINE, TABLES_LINE + line)
    line = f"from {routes} import labels_router\n"
    project.replace(ALL_ROUTES[structure], ROUTERS_LINE, ROUTERS_LINE + line)


def rename_httpx(project: Project, message: str) -> None:
    """Run the command that an update from a release before 2.2.0 prints; without it, tests fail."""
    for command in re.findall(r"^  (git grep .*)$", message, re.MULTILINE):
        subprocess.run(command, shell=True, cwd=project.folder, check=True)


def delete_batches(project: Project, structure: str) -> None:
    """Delete the batch endpoint, its schema and tests; other tests create tasks one by one."""
    cut(project, ROUTES[structure], "create_tasks")
    cut(project, SCHEMAS[structure], "TaskBatch")
    cut(project, "tests/test_tasks.py", "test_batch_is_created_in_order_by_one_insert")
    cut(project, "tests/test_tasks.py", "test_batch_is_created_whole_or_not_at_all")
    cut(project, "tests/test_tasks.py", "test_batch_is_bounded")
    for name in ("tests/test_tasks.py", "tests/test_projects.py"):
        path = project.folder / name
        text = BATCH.sub(r'\1for task in tasks:\n\1    await \2", json=task)', path.read_text())
        path.write_text(text)


def cut(project: Project, name: str, definition: str) -> None:
    """Delete a function or a class and its decorators."""
    path = project.folder / name
    text = path.read_text()
    [node] = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef | ast.ClassDef)
        and node.name == definition
    ]
    first = min(part.lineno for part in [node, *node.decorator_list])
    lines = text.splitlines(keepends=True)
    path.write_text("".join(lines[: first - 1] + lines[node.end_lineno :]))


CONFLICT = re.compile(r"^<<<<<<< .*?^=======\n(.*?)^>>>>>>> .*?\n", re.MULTILINE | re.DOTALL)


def keep_imports(project: Project) -> None:
    """Resolve the conflict in services with the structure `flat` that import a model of their own.

    2.7.0 imports `PrimaryReadSession`, in the line before the one that the owner changed.
    """
    if project.conflicts() == {"app/api.py"}:
        path = project.folder / "app/api.py"
        [updated] = CONFLICT.findall(path.read_text())
        assert set(re.findall("^[a-z]+", updated, re.MULTILINE)) == {"from"}, updated
        both = updated.replace("from app.models import ", "from app.models import Label, ")
        path.write_text(CONFLICT.sub(both, path.read_text()))
        git(project.folder, "add", "app/api.py")


def make_labels_public(project: Project) -> None:
    """Do what the messages of `tests/test_authorization.py` say about public endpoints."""
    name = "tests/authorization.py"
    last = "    # Your own go below this line.\n]\n\n# Values of parameters"
    own = '    "POST /api/v1/labels/{name}",\n    "GET /api/v1/labels",\n]'
    project.replace(name, last, last.replace("]", own))
    values = "PUBLIC_VALUES: dict[str, Any] = {\n"
    project.replace(name, values, f'{values}    "name": "urgent",\n')


def append(project: Project, name: str, text: str) -> None:
    path = project.folder / name
    path.write_text(path.read_text() + text)


def tidy(project: Project) -> None:
    """Run ruff, as before every commit."""
    for arguments in (["check", "--quiet", "--fix"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
        subprocess.run(command, cwd=project.folder, check=True)


def lost_edits(project: Project, structure: str) -> list[str]:
    """The names of edits that the project no longer has."""
    folder = project.folder

    def has(name: str, text: str) -> bool:
        return text in (folder / name).read_text()

    model = NEW_MODEL.get(structure, "app/models.py")
    kept = {
        "table": has(model, "class Label(Base)"),
        "router": has(ALL_ROUTES[structure], "    labels_router,\n"),
        "endpoint": has(NEW_ROUTES.get(structure, "app/api.py"), '"/labels/{name}"'),
        "column": has(MODELS[structure], "began_at"),
        "setting": has("app/settings.py", 'greeting: str = "Hello"'),
        "example of the setting": has(".env.example", "GREETING=Hello"),
        "dependency": has("pyproject.toml", '"tenacity>=9.0",'),
        "readme": has("README.md", "It keeps the plans of a garden."),
        "section of the readme": has("README.md", "## Who to call\n\nAda.\n"),
        "deleted endpoint": not has(ROUTES[structure], "batch"),
        "deleted schema": not has(SCHEMAS[structure], "TaskBatch"),
        "deleted tests": not has("tests/test_tasks.py", "batch"),
        "test": has("tests/test_labels.py", "test_labels_are_listed_by_name"),
    }
    return [name for name, found in kept.items() if not found]


# What `lost_edits` returns if the owner only made additions.
NOT_DELETED = {"deleted endpoint", "deleted schema", "deleted tests"}

# The password of the user who has the rows, if there are accounts.
PASSWORD = "correct horse battery staple"

FILL = f"""
import asyncio
from datetime import UTC, datetime
import app.models
from app.database import Database
from app.models import Label, Project, Task, TaskStatus
from app.settings import Settings

async def fill():
    database = Database(Settings())
    async with database.write() as session:
        owner = {{}}
        if hasattr(app.models, "User"):
            from pwdlib import PasswordHash
            password = PasswordHash.recommended().hash("{PASSWORD}")
            user = app.models.User(email="ada@example.org", name="Ada", password_hash=password)
            session.add(user)
            await session.flush()
            owner = {{"owner_id": user.id}}
        for name in ("Garden", "Pond 🐟"):
            project = Project(name=name, description="", **owner)
            session.add(project)
            await session.flush()
            for n in range(3):
                began = datetime(2026, 1, 2, 3, 4, 5, 678901 + n, UTC)
                session.add(Task(project_id=project.id, title=f"Dig {{n}}", status=TaskStatus.TODO,
                                 priority=3, began_at=began))
        session.add(Label(name="urgent"))
        await session.commit()
    await database.dispose()

asyncio.run(fill())
"""
SHOW = """
import asyncio, json
from sqlalchemy import select
from app.database import Database
from app.models import Label, Project, Task
from app.settings import Settings

async def show():
    database = Database(Settings())
    async with database.write() as session:
        tasks = select(Project.name, Task.title, Task.began_at, Task.id).join(Task.project)
        rows = [[*map(str, row)] for row in await session.execute(tasks)]
        print(json.dumps([sorted(rows), list(await session.scalars(select(Label.name)))]))
    await database.dispose()

asyncio.run(show())
"""


def fill(service: Service, url: str) -> Any:
    """Insert rows as users would; returns them as `show` does."""
    succeed_in(service, url, "python", "-c", FILL)
    rows = show(service, url)
    assert len(rows[0]) == 6
    return rows


def show(service: Service, url: str) -> Any:
    """All rows that `fill` inserted, as the service reads them now."""
    return json.loads(succeed_in(service, url, "python", "-c", SHOW).splitlines()[-1])


def settle(project: Project, service: Service, url: str) -> Any:
    """Write and run the migration of the edits, commit, and insert rows; returns the rows."""
    alembic(service, url, "upgrade head", "revision --autogenerate -m Labels", "upgrade head")
    project.commit()
    return fill(service, url)
