"""How imports, and uses of what they bind, are rewritten."""

from textwrap import dedent

import pytest
from rewriting import Moves, rewrite

MOVES = Moves(
    modules={
        "app.errors": "app.core.errors",
        "app.health": "app.core.health",
        "app.logs": "app.core.logs",
        "app.security": "app.core.passwords",
        "app.background": "app.core.jobs",
        "app.transactions": "app.core.transactions",
    },
    names={
        "app.errors": {"Kind": ("app.core.errors", "ErrorKind"), "OLD": None},
        "app.security": {"create_token": ("app.core.tokens", "create_token")},
        "app.schemas": {
            "Line": ("app.core.schemas", "SingleLineStr"),
            "Text": ("app.core.schemas", "Text"),
        },
        "app.crud": {"end_all": ("app.crud", "end_all_logins")},
        "app.users.crud": {
            "end_all": ("app.logins.crud", "end_all_logins"),
            "find": ("app.logins.crud", "find"),
        },
    },
    attributes={"state.ending": "shutting_down"},
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Modules.
        ("from app.errors import NotFound", "from app.core.errors import NotFound"),
        ("from app.errors import A as B", "from app.core.errors import A as B"),
        ("from app import errors", "from app.core import errors"),
        ("from app import errors, factory", "from app import factory\nfrom app.core import errors"),
        ("from app import errors as e", "from app.core import errors as e"),
        ("from app import background", "from app.core import jobs as background"),
        ("import app.errors as e", "import app.core.errors as e"),
        ("import app.errors", "import app.core.errors"),
        ("import app.errors\napp.errors.X", "import app.core.errors\napp.core.errors.X"),
        (
            "import app.errors, app.main\napp.errors.Kind; app.main.app",
            "import app.core.errors\nimport app.main\napp.core.errors.ErrorKind; app.main.app",
        ),
        ("from .errors import X", "from .core.errors import X"),
        ("from . import errors", "from .core import errors"),
        ("from app.errors import *", "from app.core.errors import *"),
        # Elsewhere than at the top.
        (
            "def f():\n    from app.errors import X  # late",
            "def f():\n    from app.core.errors import X  # late",
        ),
        (
            "if TYPE_CHECKING:\n    from app.errors import X",
            "if TYPE_CHECKING:\n    from app.core.errors import X",
        ),
        ("a = 1; from app.errors import X", "a = 1; from app.core.errors import X"),
        # One import becomes two.
        (
            "from app.security import create_token, hash_it",
            "from app.core.passwords import hash_it\nfrom app.core.tokens import create_token",
        ),
        (
            "from app import security\nsecurity.create_token(security.hash_it())",
            "from app.core import passwords as security\nfrom app.core import tokens\n"
            "tokens.create_token(security.hash_it())",
        ),
        (
            "import app.security\napp.security.create_token(app.security.hash_it())",
            "import app.core.passwords\nimport app.core.tokens\n"
            "app.core.tokens.create_token(app.core.passwords.hash_it())",
        ),
        (
            "import app.security as s\ns.create_token(s.hash_it())",
            "import app.core.passwords as s\nimport app.core.tokens as tokens\n"
            "tokens.create_token(s.hash_it())",
        ),
        (
            "from app.users import crud\ncrud.find(crud.create())",
            "from app.logins import crud as logins_crud\nfrom app.users import crud\n"
            "logins_crud.find(crud.create())",
        ),
        # Names.
        (
            "from app.errors import Kind\nKind.A",
            "from app.core.errors import ErrorKind\nErrorKind.A",
        ),
        (
            "from app.errors import Kind as K\nK.A",
            "from app.core.errors import ErrorKind as K\nK.A",
        ),
        (
            'from app.schemas import Line, Text\nx: "Line | None"\ndef f(a: Line) -> Text: ...',
            "from app.core.schemas import SingleLineStr, Text\n"
            'x: "SingleLineStr | None"\ndef f(a: SingleLineStr) -> Text: ...',
        ),
        (
            "from app.schemas import Line, TaskRead",
            "from app.core.schemas import SingleLineStr\nfrom app.schemas import TaskRead",
        ),
        ("from app import crud\ncrud.end_all()", "from app import crud\ncrud.end_all_logins()"),
        (
            "from app import errors\nerrors.Kind.A",
            "from app.core import errors\nerrors.ErrorKind.A",
        ),
        # Shadowed, exported or taken: the file keeps its own name.
        (
            "from app.errors import Kind\ndef f(Kind): return Kind",
            "from app.core.errors import ErrorKind as Kind\ndef f(Kind): return Kind",
        ),
        (
            'from app.errors import Kind\n__all__ = ["Kind"]',
            'from app.core.errors import ErrorKind as Kind\n__all__ = ["Kind"]',
        ),
        (
            "from app.errors import Kind\nErrorKind = Kind",
            "from app.core.errors import ErrorKind as Kind\nErrorKind = Kind",
        ),
        (
            "from app.errors import Kind as Kind",
            "from app.core.errors import ErrorKind as Kind",
        ),
        (
            "def f():\n    from app.errors import Kind\ndef g():\n    from app.x import Kind",
            "def f():\n    from app.core.errors import ErrorKind as Kind\n"
            "def g():\n    from app.x import Kind",
        ),
        # Names in strings, and attributes.
        ('patch("app.errors.Kind")', 'patch("app.core.errors.ErrorKind")'),
        ("patch('app.transactions.classify')", "patch('app.core.transactions.classify')"),
        ('getLogger("app.errors")', 'getLogger("app.core.errors")'),
        ('run("-m", "app.main")', 'run("-m", "app.main")'),
        ('"See app.errors for more."', '"See app.errors for more."'),
        (
            'from app import errors\nmonkeypatch.setattr(errors, "Kind", 1)',
            'from app.core import errors\nmonkeypatch.setattr(errors, "ErrorKind", 1)',
        ),
        (
            'from app.users import crud\npatch.object(crud, "find")',
            'from app.logins import crud as logins_crud\npatch.object(logins_crud, "find")',
        ),
        ("request.app.state.ending = True", "request.app.state.shutting_down = True"),
        ("story.ending", "story.ending"),
        # What is gone fails by its name.
        ("from app.errors import OLD", "from app.core.errors import OLD"),
        # Comments and layout of all else.
        (
            "x = {  'a':1 }   # é\nfrom app.errors import (\n    X,  # why\n    Y,\n)\ny=2",
            "x = {  'a':1 }   # é\n# why\nfrom app.core.errors import X, Y\ny=2",
        ),
        ("s = 'é'; e = app.state.ending", "s = 'é'; e = app.state.shutting_down"),
    ],
)
def test_rewriting(before: str, after: str) -> None:
    assert rewrite(before + "\n", "app.mine", "app.mine", MOVES) == after + "\n"


def test_sorted_imports_stay_sorted() -> None:
    before = dedent('''\
        """Mine."""

        import os
        from datetime import UTC

        from fastapi import APIRouter

        from app.errors import Kind, NotFound
        from app.factory import create_app
        from app.logs import FORMAT
        from app.schemas import Line, Text

        Kind.A
        ''')
    after = dedent('''\
        """Mine."""

        import os
        from datetime import UTC

        from fastapi import APIRouter

        from app.core.errors import ErrorKind, NotFound
        from app.core.logs import FORMAT
        from app.core.schemas import SingleLineStr, Text
        from app.factory import create_app

        ErrorKind.A
        ''')
    assert rewrite(before, "app.mine", "app.mine", MOVES) == after


def test_long_imports_are_wrapped() -> None:
    names = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cc"]
    before = f"from app.errors import {', '.join(names)}\n"
    listed = "".join(f"    {name},\n" for name in names)
    assert rewrite(before, "app.mine", "app.mine", MOVES, width=88) == (
        f"from app.core.errors import (\n{listed})\n"
    )


def test_name_that_another_file_imports_from_here_is_kept() -> None:
    assert rewrite(
        "from app.schemas import Line\n", "app.mine", "app.mine", MOVES, exported={"Line"}
    ) == ("from app.core.schemas import SingleLineStr as Line\n")


def test_file_that_moves_has_its_relative_imports_rewritten() -> None:
    before = "from . import settings\nfrom .logs import FORMAT\n"
    assert rewrite(before, "app.errors", "app.core.errors", MOVES) == (
        "from .. import settings\nfrom .logs import FORMAT\n"
    )


def test_names_that_a_file_defines_are_renamed_in_it() -> None:
    before = "class Kind:\n    pass\n\n\ndef classify() -> Kind:\n    return Kind()\n"
    assert rewrite(before, "app.errors", "app.core.errors", MOVES) == before.replace(
        "Kind", "ErrorKind"
    )


def test_what_cannot_be_parsed_is_refused() -> None:
    with pytest.raises(SyntaxError):
        rewrite("print 'hello'\n", "app.mine", "app.mine", MOVES)
