"""Edits that owners make in generated code, into which further fields are merged."""

import pytest
from scaffolding.errors import Refused

from tests.scaffold.conftest import merged

MODEL = """\
class Invoice(Base):
    __tablename__ = "invoices"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(String(100))
    due: Mapped[date | None]
"""
MODEL_AFTER = """\
class Invoice(Base):
    __tablename__ = "invoices"
    __table_args__ = (Index(None, "created_at", "id"), Index(None, "rank", "id"))

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(String(100))
    due: Mapped[date | None]
    rank: Mapped[int]
"""
CODE = """\
class InvoicePageParams(PageParams):
    sort: Sort[Literal["created_at", "-created_at"]] = "-created_at"
    number: str | None = None


async def list_invoices(session: Reader, params: InvoicePageParams) -> Page[Invoice]:
    statement = select(Invoice)
    if params.number is not None:
        statement = statement.where(Invoice.number == params.number)
    return await fetch_page(session, statement, Invoice, params)


@pytest.fixture
async def invoice(session: AsyncSession) -> Invoice:
    invoice = Invoice(number="a", due=None)
    session.add(invoice)
    return invoice


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "x" * 100),
        ("due", "9999-12-31"),
    ],
)
async def test_value(field: str, value: object) -> None:
    assert field
"""
CODE_AFTER = """\
class InvoicePageParams(PageParams):
    sort: Sort[Literal["created_at", "-created_at", "rank", "-rank"]] = "-created_at"
    number: str | None = None
    rank: int | None = None


async def list_invoices(session: Reader, params: InvoicePageParams) -> Page[Invoice]:
    statement = select(Invoice)
    if params.number is not None:
        statement = statement.where(Invoice.number == params.number)
    if params.rank is not None:
        statement = statement.where(Invoice.rank == params.rank)
    return await fetch_page(session, statement, Invoice, params)


@pytest.fixture
async def invoice(session: AsyncSession) -> Invoice:
    invoice = Invoice(number="a", due=None, rank=2)
    session.add(invoice)
    return invoice


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "x" * 100),
        ("due", "9999-12-31"),
        ("rank", 0),
    ],
)
async def test_value(field: str, value: object) -> None:
    assert field
"""
DUE = "    due: Mapped[date | None]\n"
CHECK = '(Index(None, "created_at", "id"), CheckConstraint("due > 0", name="due"))'
CHECK_AFTER = """\
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "rank", "id"),
        CheckConstraint("due > 0", name="due"),
    )
"""
METHOD = "\n    def is_due(self) -> bool:\n        return True\n"
FILTER = """\
    if params.q is not None:
        statement = statement.where(Invoice.number.startswith(params.q))
"""


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("(Base):\n", '(Base):\n    """A bill."""\n\n', '    """A bill."""\n\n    __tablename__'),
        ("(Base):\n", "(Base, Own):\n", "class Invoice(Base, Own):\n"),
        ("String(100)", "String(200)", "String(200)"),
        (DUE, "    due: Mapped[date]\n", "    due: Mapped[date]\n    rank: Mapped[int]\n"),
        (
            DUE,
            f"{DUE}    own: Mapped[str]\n",
            f"{DUE}    rank: Mapped[int]\n    own: Mapped[str]\n",
        ),
        (DUE, f"{DUE}{METHOD}", f"{DUE}    rank: Mapped[int]\n{METHOD}"),
        (DUE, f"    due: Mapped[date]\n{METHOD}", f"date]\n    rank: Mapped[int]\n{METHOD}"),
        (DUE, f"    # Of the month.\n{DUE}", f"    # Of the month.\n{DUE}    rank: Mapped[int]\n"),
        (DUE, "", "String(100))\n    rank: Mapped[int]\n"),
        ('(Index(None, "created_at", "id"),)', CHECK, CHECK_AFTER),
    ],
)
def test_edited_model_gets_the_field(old: str, new: str, kept: str) -> None:
    assert old in MODEL
    result = merged(MODEL.replace(old, new), MODEL, MODEL_AFTER)
    assert kept in result
    assert 'Index(None, "rank", "id")' in result


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (
            '"-created_at"]] = "-created_at"',
            '"-created_at", "own"]] = "created_at"',
            'Sort[Literal["created_at", "-created_at", "rank", "-rank", "own"]] = "created_at"',
        ),
        (
            "    number: str | None = None\n",
            "    number: str | None = None\n    q: str | None = None\n",
            "    rank: int | None = None\n    q: str | None = None\n",
        ),
        (
            "    return await fetch_page",
            f"{FILTER}    return await fetch_page",
            f"Invoice.rank == params.rank)\n{FILTER}    return await",
        ),
        (
            "    return await fetch_page(session, statement, Invoice, params)",
            "    statement = own(statement)\n    return await fetch_page(session, statement)",
            "params.rank)\n    statement = own(statement)\n    return await fetch_page(session, st",
        ),
        (
            '"a", due=None',
            '"A-1", due=None, own=1',
            'Invoice(number="A-1", due=None, rank=2, own=1)',
        ),
        (
            '("due", "9999-12-31")',
            '("due", "2999-12-31")',
            '"2999-12-31"),\n        ("rank", 0),\n',
        ),
        (
            '"9999-12-31"),\n',
            '"9999-12-31"),\n        ("own", 1),\n',
            '("rank", 0),\n        ("own", 1),\n',
        ),
    ],
)
def test_edited_code_gets_the_field(old: str, new: str, kept: str) -> None:
    assert old in CODE
    result = merged(CODE.replace(old, new), CODE, CODE_AFTER)
    assert kept in result
    assert result.count("rank") >= CODE_AFTER.count("rank")


def test_all_conflicts_are_named_with_the_changes() -> None:
    own = CODE.replace('invoice = Invoice(number="a", due=None)', "invoice = make()")
    own = own.replace('Sort[Literal["created_at", "-created_at"]]', "Sort[str]")
    with pytest.raises(Refused) as refused:
        merged(own, CODE, CODE_AFTER)
    sentence, *changes = str(refused.value).splitlines()
    assert sentence.startswith(
        "Your edits of sort in InvoicePageParams (app/models.py) and invoice in app/models.py and"
        " this change touch the same lines. Undo these edits, commit, run this again,"
    )
    assert changes[0] == "--- sort in InvoicePageParams (app/models.py)"
    assert [line.strip("+ ") for line in changes if line.startswith("+  ")] == [
        'sort: Sort[Literal["created_at", "-created_at", "rank", "-rank"]] = "-created_at"',
        'invoice = Invoice(number="a", due=None, rank=2)',
    ]
