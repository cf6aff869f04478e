"""A service's test of authorization finds each leak among endpoints that an owner adds."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.projects import replace, write_migration
from harness.services import Service
from harness.variants import Variant

ADDED = Path(__file__).with_name("added")
TABLES = "# Your own tables go below this line: what updates add comes above it.\n"
OWN = "    # Your own go below this line.\n"
# The lines of an owner in `tests/authorization.py`, by the line that they follow.
REGISTERED = {
    f"PUBLIC_VALUES: dict[str, Any] = {{\n{OWN}": '    "country_code": "DE",\n',
    f"SHARED_OPERATIONS: list[str] = [\n{OWN}": (
        '    "GET /api/v1/folders/countries/{country_code}",\n'
    ),
    "    # Your own go below this line: what updates add comes above it.\n": """\
    number = user.id.int % 10**6
    invoice = Invoice(owner_id=user.id, year=2026, number=number, customer="Ada")
    folder = Folder(owner_id=user.id, name="Letters")
    session.add_all([invoice, folder])
    await session.flush()
    line = Line(year=2026, number=number, text="Seeds")
    session.add_all([line, Folder(owner_id=user.id, name="Old", parent_id=folder.id)])
    await session.flush()
    rows |= {
        "year": 2026,
        "number": number,
        "lines/{id}": line.id,
        "folders/{id}": folder.id,
        "parent_id": folder.id,
        "folders/deletions.body": folder.id,
        "leaks/bulk.body": folder.id,
        "x-project-id": project.id,
        "place": 1,
    }
""",
}
# The message about each operation that leaks, after its name.
LEAKS = {
    "GET /leaks/unchecked/{project_id}": '{project_id} of another user: 200 "Garden", not 404',
    "GET /leaks/composite/{year}/{number}": '{number} of another user: 200 "Ada", not 404',
    "DELETE /leaks/unbound/{year}/{number}/lines/{id}": (
        "{id} of another user: 200 null, and ['lines'] changed"
    ),
    "GET /leaks/parent/{project_id}/tasks/{task_id}": (
        '{project_id} of another user: 200 "Dig", not 404'
    ),
    "POST /leaks/updated/{project_id}": "and ['projects'] changed",
    "PUT /leaks/accepted/{project_id}": "{project_id} of another user: 200 null, not 404",
    "GET /leaks/forbidden/{project_id}": "{project_id} of another user: the response depends on",
    "POST /leaks/closed/{project_id}": "{project_id} of another user: 409 ",
    "PUT /leaks/moved/{task_id}": (
        "Move.project_id of another user: 200 null, and ['tasks'] changed"
    ),
    "POST /leaks/nested": "Move.project_id of another user: the response depends on",
    "POST /leaks/bulk": "bulk.body of another user: 204, and ['folders'] changed",
    "GET /leaks/filtered": "query.parent_id of another user: the response depends on",
    "GET /leaks/listed": "no row of another user: the response depends on",
    "GET /leaks/own/{project_id}/tasks": "no row of another user: the response depends on",
    "GET /leaks/streamed/{project_id}": "TimeoutError",
    "GET /leaks/unknown/{drawer}": "which row does /api/v1/leaks/unknown/{drawer} refer to?",
    "GET /leaks/unknown": "which row does query.shelf_id refer to?",
    "GET /leaks/headed": "header.x-project-id of another user: the response depends on",
    "POST /leaks/invalid": "Declare `Field(examples=[…])`.",
    "GET /leaks/same/{place}": "returns the same /api/v1/leaks/same/{place} for two users",
    "GET /leaks/strange/{project_id}": "as the owner of the rows: 404 ",
    "GET /open/undeclared": "write `responses=problems(401)`",
    "GET /open/anonymous": "without a login: 200 null. Depend on CurrentUser",
}
ROUTERS = ["invoices_router", "folders_router", "leaks_router", "open_router"]
FAILED = re.compile(r"^_+ test_\w+ \[(\w+) /api/v1(\S+)\] _+$(.*?)(?=^_+ test_|^===)", re.M | re.S)


VARIANTS = [
    Variant("aiosqlite", "flat", "oidc"),
    Variant("asyncpg", "layered", "session", api_keys=True, mail="smtp"),
    Variant("psycopg", "by_feature", "oidc", api_keys=True),
    Variant("aiomysql", "by_feature", "session"),
    Variant("asyncmy", "layered", "jwt", api_keys=True, mail="smtp", rate_limits=True),
]


@pytest.mark.nightly
@pytest.mark.parametrize("with_accounts", VARIANTS, ids=str)
def test_each_leak_is_found_and_nothing_else(
    rendered: Callable[[Variant], Path], with_accounts: Variant, tmp_path: Path
) -> None:
    service = shutil.copytree(rendered(with_accounts), tmp_path / "service")
    add(service, with_accounts.structure)
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--tb=short"]
    output = Service(service, Path(sys.prefix)).fail(
        *command, "tests/test_authorization.py", "tests/test_folders.py"
    )
    reports = {f"{method} {path}": report for method, path, report in FAILED.findall(output)}
    assert reports.keys() == LEAKS.keys(), output
    for operation, message in LEAKS.items():
        assert message in reports[operation], output
    assert "25 failed, 1 passed" in output


def add(service: Path, structure: str) -> None:
    """Add the endpoints and their tables, and register their rows."""
    shutil.copytree(ADDED, service, dirs_exist_ok=True)
    facade = "{}/__init__.py" if structure == "layered" else "{}.py"
    models, api = (f"app/{facade.format(name)}" for name in ("models", "api"))
    tables = "from app.invoices.models import Folder as Folder, Invoice as Invoice, Line as Line\n"
    replace(service, models, TABLES, TABLES + tables)
    replace(service, api, f"{OWN}]", "".join(f"    {name},\n" for name in ROUTERS) + "]")
    replace(
        service,
        api,
        "\n\nrouters: list[APIRouter]",
        "\n\nfrom app.invoices.routes import folders_router, invoices_router\n"
        "from app.leaks import leaks_router, open_router\n\nrouters: list[APIRouter]",
    )
    create = (
        "Base.metadata.create_all(op.get_bind(), tables=[Base.metadata.tables[name] for name in"
    )
    write_migration(
        service,
        "0002_invoices.py",
        f"from app.models import Base; {create} ('invoices', 'lines', 'folders')])",
    )
    name = "tests/authorization.py"
    replace(
        service,
        name,
        "\nfrom app.models import",
        "\nfrom app.invoices.models import Folder, Invoice, Line\nfrom app.models import",
    )
    replace(service, "tests/test_authorization.py", "SECONDS = 10", "SECONDS = 3")
    for line, lines in REGISTERED.items():
        replace(service, name, line, line + lines)
