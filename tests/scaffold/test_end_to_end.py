"""A resource from the command to a service whose checks pass, and back."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.services import InEnvironment
from harness.variants import DRIVERS, FAMILIES, Variant
from tests.scaffold.conftest import Owner
from tests.scaffold.test_bad_input import EARLIER

INVOICE = (
    "number:str:unique",
    "state:enum:draft,sent,paid:filter",
    "amount:money:sort",
    "due:date:optional",
    "project:ref:filter",
)
MORE = (
    *("note:text:optional", "count:int:sort", "kind:enum:small,very-large", "is_paid:bool:filter"),
    *("extra:json", "rate:float", "sent_at:datetime:optional", "code:uuid:optional:unique"),
    *("parent:ref:invoice:optional", "tasks:refs"),
)


def test_resource_is_added_tested_and_undone(owner_of: Callable[[Variant], Owner]) -> None:
    owner = owner_of(Variant("aiosqlite", "by_feature"))
    output = owner.add("invoice", *INVOICE)
    assert "  app/invoices/models.py\n" in output
    owner.run("ruff", "check", "--no-cache", "--quiet", ".")
    owner.run("ruff", "format", "--no-cache", "--check", "--quiet", ".")
    tests = owner.run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/test_invoices.py")
    assert " passed" in tests
    owner.add("invoice", "--undo")
    assert owner.status() == ""


@pytest.mark.nightly
def test_dry_run_prints_the_diff_and_changes_nothing(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("aiosqlite", "flat", "jwt"))
    owner.edit("app/crud.py", "\n# Your own functions", "\nX = 1\n\n# Your own functions")
    before = owner.content()
    diff = owner.add("invoice", *INVOICE, "--dry-run")
    assert owner.content() == before
    assert "+++ b/app/crud.py" in diff
    assert "--- /dev/null\n+++ b/tests/test_invoices.py" in diff
    assert "app/crud.py has uncommitted changes" in owner.refused("invoice", *INVOICE)


@pytest.mark.nightly
@pytest.mark.parametrize("structure", ["flat", "layered", "by_feature"])
def test_more_fields_are_merged_into_edited_code_and_fill_rows(
    owner_of: Callable[[Variant], Owner], in_environment: InEnvironment, structure: str
) -> None:
    owner = owner_of(Variant("aiosqlite", structure, "jwt"))
    owner.add("invoice", *INVOICE)
    schemas = {"layered": "app/schemas/invoice.py", "by_feature": "app/invoices/schemas.py"}
    owner.edit(
        schemas.get(structure, "app/schemas.py"),
        "class InvoiceCreate(Input):\n",
        'class InvoiceCreate(Input):\n    """A new invoice."""\n\n',
    )
    owner.commit()
    assert "Responses have no ETag from now on" in owner.add("invoice", *MORE)
    assert (
        '"""A new invoice."""'
        in (owner.folder / schemas.get(structure, "app/schemas.py")).read_text()
    )
    owner.check()
    owner.measure(in_environment)
    migration = next(owner.folder.glob("migrations/versions/*add*"))
    assert 'server_default="small"' in migration.read_text()
    assert "sa.Boolean(), server_default=sa.false()" in migration.read_text()
    assert "###" not in migration.read_text()
    owner.add("invoice", "--undo")
    assert owner.status() == ""


@pytest.mark.nightly
@pytest.mark.parametrize("indentation", ["indent-width = 2", 'format.indent-style = "tab"'])
def test_code_is_written_and_merged_in_the_format_of_the_service(
    owner_of: Callable[[Variant], Owner], indentation: str
) -> None:
    owner = owner_of(Variant("aiosqlite", "flat", "jwt", api_keys=True))
    (owner.folder / "ruff.toml").write_text(
        f'extend = "pyproject.toml"\n{indentation}\nformat.quote-style = "single"\n'
        'lint.extend-ignore = ["E101", "W191"]\n'
    )
    owner.run("ruff", "format", "--no-cache", "--quiet", ".")
    owner.commit()
    owner.add("invoice", *INVOICE)
    path = owner.folder / "app" / "schemas.py"
    docstring = 'class InvoiceCreate(Input):\n    """A new invoice."""\n\n'
    edit_invoices(path, "class InvoiceCreate(Input):\n", docstring.replace("    ", indent(path)))
    owner.commit()
    owner.add("invoice", *MORE)
    assert '"""A new invoice."""' in path.read_text()
    owner.run("ruff", "check", "--no-cache", "--quiet", ".")
    owner.run("ruff", "format", "--no-cache", "--check", "--quiet", ".")
    owner.run("pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/test_invoices.py")
    owner.add("invoice", "--undo")
    assert owner.status() == ""


def indent(path: Path) -> str:
    [found, *_] = re.findall(r"^[ \t]+", path.read_text(), re.MULTILINE)
    return str(found)


# What an owner changes in the invoices, by the module.
EDITS = {
    "models": [
        ("VersionMixin, Base):\n", 'VersionMixin, Base):\n    """A bill."""\n\n'),
        (
            "    due: Mapped[date | None]\n",
            "    due: Mapped[date | None]\n    own: Mapped[int | None]\n",
        ),
        (
            "number: Mapped[str] = mapped_column(String(100))",
            "number: Mapped[str] = mapped_column(String(150))",
        ),
        (
            'ForeignKey("projects.id", ondelete="CASCADE"))\n',
            'ForeignKey("projects.id", ondelete="CASCADE"), index=True)\n'
            "\n    def is_large(self) -> bool:\n        return self.amount > 1000\n",
        ),
    ],
    "schemas": [
        ("max_length=100", "max_length=150"),
        ("from pydantic import ", "from pydantic import field_validator\nfrom pydantic import "),
        (
            "\n\nclass InvoiceUpdate",
            """
    @field_validator("number")
    @classmethod
    def reject_own(cls, number: str) -> str:
        if number == "own":
            raise ValueError("not own")
        return number


class InvoiceUpdate""",
        ),
        (
            'description="Only invoices of this project.")\n',
            'description="Only invoices of this project.")\n    own: str | None = None\n',
        ),
        ("    created_at: datetime\n", "    own: int | None\n    created_at: datetime\n"),
    ],
    "crud": [
        (
            "    return await fetch_page(",
            "    if params.own is not None:\n"
            "        statement = statement.where(Invoice.own == int(params.own))\n"
            "    return await fetch_page(",
        ),
    ],
    "routes": [
        (
            "    await crud.delete_invoice(session, invoice)\n",
            "    await crud.delete_invoice(session, invoice)\n\n\n"
            '@invoices_router.get("/{invoice_id}/own", responses=problems(404))\n'
            "async def get_own(user: CurrentUser, session: ReadSession, invoice_id: UUID)"
            " -> bool:\n"
            '    """Return whether it is large."""\n'
            "    return (await crud.get_invoice(session, user.id, invoice_id)).is_large()\n",
        ),
    ],
    "fixtures": [
        ("        due=date(2030, 1, 31),\n", "        due=date(2030, 1, 31),\n        own=7,\n")
    ],
    "tests": [
        ('"number": ["x" * 100,', '"number": ["x" * 150,'),
        ('"number": ["", "x" * 101,', '"number": ["own", "", "x" * 151,'),
        (
            "\n\nasync def test_invoice_is_deleted(",
            """

async def test_own(client: AsyncClient, invoice: Invoice) -> None:
    found = (await client.get(INVOICES, params={"own": "7"})).json()["items"]
    assert [each["own"] for each in found] == [7]
    assert (await client.get(f"{INVOICES}/{invoice.id}/own")).json() is False


async def test_invoice_is_deleted(""",
        ),
    ],
}


@pytest.mark.nightly
@pytest.mark.parametrize("structure", ["flat", "layered", "by_feature"])
def test_more_fields_are_merged_into_everything_that_owners_edit(
    owner_of: Callable[[Variant], Owner], in_environment: InEnvironment, structure: str
) -> None:
    owner = owner_of(Variant("aiosqlite", structure, "jwt"))
    owner.add("invoice", *INVOICE)
    paths = {
        "flat": {name: f"app/{name}.py" for name in EDITS} | {"routes": "app/api.py"},
        "layered": {
            **{name: f"app/{name}/invoice.py" for name in ("models", "schemas")},
            **{"crud": "app/crud/invoices.py", "routes": "app/api/invoices.py"},
        },
        "by_feature": {name: f"app/invoices/{name}.py" for name in EDITS},
    }[structure]
    paths |= {"fixtures": "tests/fixtures/invoices.py", "tests": "tests/test_invoices.py"}
    for module, edits in EDITS.items():
        for old, new in edits:
            edit_invoices(owner.folder / paths[module], old, new)
    owner.run("ruff", "check", "--select", "I", "--fix", "--quiet", ".")
    owner.run("ruff", "format", "--quiet", ".")
    owner.run("alembic", "upgrade", "head")
    owner.run("alembic", "revision", "--autogenerate", "-m", "Own edits")
    owner.commit()
    owner.add("invoice", *MORE)
    models = (owner.folder / paths["models"]).read_text()
    assert all(text in models for text in ('"""A bill."""', "String(150)", "index=True"))
    owner.check()
    owner.measure_added(in_environment)


def edit_invoices(path: Path, old: str, new: str) -> None:
    """Replace the last occurrence: in flat modules, invoices come last."""
    before, found, after = path.read_text().rpartition(old)
    assert found, (path.name, old)
    path.write_text(f"{before}{new}{after}")


@pytest.mark.nightly
def test_edits_that_a_change_touches_are_named(owner_of: Callable[[Variant], Owner]) -> None:
    owner = owner_of(Variant("aiosqlite", "by_feature"))
    owner.add("invoice", *INVOICE)
    owner.edit("app/invoices/crud.py", "data: InvoiceCreate)", "new: InvoiceCreate)")
    owner.edit("app/invoices/crud.py", "Invoice(**data", "Invoice(**new")
    line = 'ForeignKey("projects.id", ondelete="CASCADE"))'
    owner.edit("app/invoices/models.py", line, f"{line}  # Of my own.")
    owner.edit("app/invoices/routes.py", "response: Response,", "response: Response,  # Own.")
    owner.commit()
    sentence = owner.refused("invoice", "tasks:refs")
    assert "create_invoice in app/invoices/crud.py" in sentence
    assert "create_invoice in app/invoices/routes.py" in sentence
    assert "models.py" not in sentence
    assert "\n+        tasks=list(tasks)," in sentence
    sentence = owner.refused("invoice", "--undo")
    names = ("crud", "models", "routes")
    edited = "app/invoices/{}.py, app/invoices/{}.py and app/invoices/{}.py".format(*names)
    assert sentence.startswith(f"{edited} were edited since")


@pytest.mark.nightly
def test_everything_else_is_checked_before_a_database_is_created(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("asyncpg", "layered"))
    owner.add("invoice", "number:str")
    owner.commit()
    owner.environment = {
        **owner.environment,
        "TEST_DATABASE_URL": "postgresql://127.0.0.1:1/a_test",
    }
    assert "No database server" in owner.refused("invoice", "note:text:optional")
    assert "has a table projects" in owner.refused("project", "name:str")
    assert "no resource 'own'" in owner.refused("note", "own:ref")
    long = "x" * 39
    assert "of more than 63" in owner.refused(long, "--plural", f"{long}s", f"{'y' * 39}:int:index")
    owner.edit("app/crud/invoices.py", "Built at import", "Built by import")
    assert owner.refused("invoice", "a:int:filter").startswith(
        "app/crud/invoices.py has uncommitted changes"
    )


@pytest.mark.nightly
@pytest.mark.parametrize("driver", DRIVERS)
def test_unreachable_database_is_named_with_the_reason_of_the_driver(
    owner_of: Callable[[Variant], Owner], driver: str, tmp_path: Path
) -> None:
    owner = owner_of(Variant(driver))
    (owner.folder / ".scaffold.json").write_text(json.dumps(EARLIER))
    scheme = FAMILIES[driver]
    url, reason = f"{scheme}://own:s3cret@127.0.0.1:1/own", "127.0.0.1"
    if scheme == "sqlite":
        (tmp_path / "own.db").write_bytes(b"not a database" * 99)
        url, reason = f"sqlite:///{tmp_path}/own.db", "file is not a database"
    owner.environment = {**owner.environment, "DATABASE_URL": url}
    sentence = owner.refused("invoice", "--undo")
    assert sentence.startswith("The database of DATABASE_URL is unreachable (")
    assert reason in sentence
    assert "s3cret" not in sentence


@pytest.mark.nightly
def test_clone_without_settings_asks_whether_the_migration_was_applied(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("aiosqlite", auth="jwt"))
    (owner.folder / ".env").unlink()
    own = {name: value for name, value in owner.environment.items() if name != "DATABASE_URL"}
    owner.environment = own
    owner.add("invoice", "number:str")
    sentence = owner.refused("invoice", "--undo")
    assert sentence.startswith("The database of DATABASE_URL is unreachable (DATABASE_URL is not")
    owner.add("invoice", "--undo", "--unapplied")
    assert owner.status() == ""


@pytest.mark.nightly
def test_undo_leaves_other_resources_and_refuses_what_would_break(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("aiosqlite", "flat", "session", api_keys=True))
    owner.add("customer", "name:str:unique")
    owner.add("invoice", *INVOICE)
    assert "follows" in owner.refused("customer", "--undo")
    owner.add("invoice", "--undo")
    owner.run("alembic", "upgrade", "head")
    assert "is applied: run `uv run alembic downgrade -1`" in owner.refused("customer", "--undo")
    owner.run("alembic", "downgrade", "-1")
    owner.edit(
        "app/models.py", "\n# Your own tables", "\nclass Own:\n    pass\n\n\n# Your own tables"
    )
    owner.add("customer", "--undo")
    assert "class Own" in (owner.folder / "app/models.py").read_text()
    owner.edit(
        "app/models.py", "\nclass Own:\n    pass\n\n\n# Your own tables", "\n# Your own tables"
    )
    assert owner.status() == ""


@pytest.mark.nightly
def test_database_of_the_owner_is_not_touched(
    owner_of: Callable[[Variant], Owner], tmp_path: Path
) -> None:
    owner = owner_of(Variant("aiosqlite"))
    owner.run("alembic", "upgrade", "head")
    before = (tmp_path / "owner.db").read_bytes()
    owner.add("invoice", *INVOICE)
    owner.add("invoice", "--undo")
    assert (tmp_path / "owner.db").read_bytes() == before


@pytest.mark.nightly
def test_models_without_their_migration_are_refused(owner_of: Callable[[Variant], Owner]) -> None:
    owner = owner_of(Variant("aiosqlite"))
    owner.edit("app/models.py", "String(2000)", "String(3000)")
    owner.commit()
    assert "write the missing migration first" in owner.refused("invoice", *INVOICE)


@pytest.mark.nightly
def test_resource_of_the_fields_of_projects_is_the_example(
    owner_of: Callable[[Variant], Owner], tmp_path: Path
) -> None:
    """But for its tasks, which the example has in addition."""
    owner = owner_of(Variant("aiosqlite", "by_feature", "jwt", ()))
    owner.add("project", "name:str:unique:sort", "description:text:optional")
    found = {
        name: (owner.folder / "app" / "projects" / f"{name}.py").read_text()
        for name in ("models", "schemas", "crud", "routes")
    }
    assert "class Project(TimestampMixin, VersionMixin, Base):" in found["models"]
    state = json.loads((owner.folder / ".scaffold.json").read_text())
    assert re.fullmatch("[0-9a-f]{12}", state["project"]["runs"][0]["revisions"][0])
