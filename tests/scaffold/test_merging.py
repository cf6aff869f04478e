"""How code is added to modules that an owner has edited, and taken out of them."""

import pytest
from scaffolding.errors import Refused
from scaffolding.merging import added

from tests.scaffold.conftest import merged

BASE = '''"""Every table."""

from sqlalchemy import String

from app.core.models import Base


class Project(Base):
    name = String


# Your own tables go below this line: what updates add comes above it.
'''
INVOICE = """class Invoice(Base):
    number = Integer
"""
WITH_INVOICE = BASE.replace("import String", "import Integer, String").replace(
    "\n# Your", f"\n{INVOICE}\n\n# Your"
)
ROUTERS = '''"""The endpoints."""

from app.api.projects import projects_router

# isort: split
# Your own routers go below this line: what updates add comes above it.

routers: list[APIRouter] = [
    projects_router,
    # Your own go below this line.
]
'''
WITH_ROUTER = ROUTERS.replace(
    "import projects_router\n",
    "import projects_router\nfrom app.api.invoices import invoices_router\n",
).replace("    projects_router,\n", "    projects_router,\n    invoices_router,\n")


def test_code_is_added_below_the_line_for_it_and_imports_at_the_top() -> None:
    own = BASE + "\n\nclass Own(Base):\n    pass\n"
    result = added(own, BASE, WITH_INVOICE, "app/models.py")
    head, _, section = result.partition("# Your own tables")
    assert "from sqlalchemy import Integer\n" in head
    assert "class Invoice" not in head
    assert section.index("class Own") < section.index(INVOICE)
    assert result.replace("from sqlalchemy import Integer\n", "").startswith(own.rstrip())


def test_router_is_added_below_the_lines_of_imports_and_of_the_list() -> None:
    own = ROUTERS.replace("this line.\n]", "this line.\n    own_router,\n]")
    result = added(own, ROUTERS, WITH_ROUTER, "app/api.py")
    _, _, section = result.partition("# Your own routers")
    assert section.splitlines()[1] == "from app.api.invoices import invoices_router"
    assert section.endswith("    own_router,\n    invoices_router,\n]\n")


def test_statement_after_the_owners_section_stays_the_last() -> None:
    with_function = WITH_ROUTER.replace("\n# isort", "\n\ndef added() -> None: ...\n\n\n# isort")
    result = added(ROUTERS, ROUTERS, with_function, "app/api.py")
    assert result.index("# Your own routers") < result.index("def added") < result.index("routers:")


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (BASE.replace("# Your own tables", "# Tables"), "app/models.py has no line `# Your own"),
        (f"{BASE}\n\n{INVOICE}", "app/models.py already has Invoice: use another name"),
        (
            BASE.replace("import String", "import String\nfrom own import Integer"),
            "already has another Integer, and this imports Integer from sqlalchemy: rename one",
        ),
        (f"{BASE}\n\nInteger = int\n", "already has another Integer, and this imports"),
    ],
)
def test_module_without_room_for_the_code_is_refused(own: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        added(own, BASE, WITH_INVOICE, "app/models.py")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "    # Your own go below this line.\n",
            "",
            "has no line `# Your own go below this line.`",
        ),
        ("routers: list[APIRouter]", "all_routers: list[APIRouter]", "has no routers, where these"),
        ("\n]\n", "\n] + others\n", "must end with `]`"),
    ],
)
def test_list_without_room_for_the_line_is_refused(old: str, new: str, sentence: str) -> None:
    assert old in ROUTERS
    with pytest.raises(Refused, match=sentence):
        added(ROUTERS.replace(old, new), ROUTERS, WITH_ROUTER, "app/api.py")


def test_list_that_the_owner_reordered_gets_the_line() -> None:
    own = ROUTERS.replace(
        "    projects_router,\n    # Your own go below this line.\n",
        "    # Your own go below this line.\n    own_router,\n    projects_router,\n",
    )
    assert "    projects_router,\n    invoices_router,\n]" in added(
        own, ROUTERS, WITH_ROUTER, "app/api.py"
    )


# ---------------------------------------------------------------- More fields, and undo

WRITTEN = added(BASE, BASE, WITH_INVOICE, "app/models.py")
CUSTOMER = "\n\nclass Customer(Base):\n    name = String\n"
MORE = WRITTEN.replace(
    "    number = Integer\n", "    number = Integer\n    paid = Boolean\n"
).replace("import Integer\n", "import Boolean, Integer\n")


def test_field_is_added_to_a_class_that_the_owner_extended() -> None:
    own = WRITTEN.replace("class Invoice", "# Bills.\nclass Invoice") + CUSTOMER
    result = merged(own, WRITTEN, MORE)
    assert "# Bills.\nclass Invoice(Base):\n    number = Integer\n    paid = Boolean\n" in result
    assert "from sqlalchemy import Boolean\n" in result
    assert result.endswith(CUSTOMER)


def test_undo_removes_the_code_and_leaves_what_was_added_since() -> None:
    result = merged(WRITTEN + CUSTOMER, WRITTEN, BASE)
    assert result.split() == (BASE + CUSTOMER).split()


def test_undo_leaves_imports_that_other_code_uses() -> None:
    own = WRITTEN + CUSTOMER.replace("String", "Integer")
    assert "import Integer\n" in merged(own, WRITTEN, BASE)


def test_undo_of_edited_code_is_refused() -> None:
    own = WRITTEN.replace("number = Integer", "number = String")
    with pytest.raises(Refused, match=r"Invoice in app/models\.py was edited"):
        merged(own, WRITTEN, BASE)


def test_undo_removes_a_line_between_lines_that_were_added_since() -> None:
    written = added(ROUTERS, ROUTERS, WITH_ROUTER, "app/api.py")
    own = written.replace("    invoices_router,\n", "    invoices_router,\n    customers_router,\n")
    result = merged(own, written, ROUTERS)
    assert "invoices_router" not in result
    assert result.endswith("    # Your own go below this line.\n    customers_router,\n]\n")
