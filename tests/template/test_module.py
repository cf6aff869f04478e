"""Sources are joined: their imports are moved to where the structure has the modules."""

import re

import pytest
from jinja2.exceptions import FilterArgumentError

from tests.template.modules import STRUCTURES, environment, imports_of, join, problems, rewrite

PLANETS = {
    "planets.models": '"""Planets."""\n\n\nclass Planet: ...\n',
    "planets.crud": '"""Planets."""\n\n\ndef get(): ...\n',
    "moons.models": '"""Moons."""\n\n\nclass Moon: ...\n',
    "moons.crud": '"""Moons."""\n\n\ndef get_moon(): ...\n',
}
AT = {
    "flat": {"crud": "app/crud.py", "services": "app/services.py", "models": "app/models.py"},
    "layered": {
        "crud": "app/crud/moons.py",
        "services": "app/services/moons.py",
        "models": "app/models/moon.py",
    },
    "by_feature": {
        "crud": "app/moons/crud.py",
        "services": "app/moons/services.py",
        "models": "app/moons/models.py",
    },
}


def moons(structure: str, layer: str, text: str) -> list[str]:
    """The imports of a module of the moons, in a service with the planets above."""
    sources = {**PLANETS, f"moons.{layer}": f'"""Moons."""\n\n{text}'}
    return imports_of(join(AT[structure][layer], sources, structure=structure))


# ---------------------------------------------------------------- Moving


@pytest.mark.parametrize(
    ("statement", "flat", "layered"),
    [
        (
            "from app.planets.models import Planet",
            "from app.models import Planet",
            "from app.models import Planet",
        ),
        (
            "from app.planets.models import Planet as P",
            "from app.models import Planet as P",
            "from app.models import Planet as P",
        ),
        (
            "from app.planets.crud import get",
            "from app.crud import get",
            "from app.crud.planets import get",
        ),
        (
            "from app.planets import crud",
            "from app import crud",
            "from app.crud import planets as crud",
        ),
        (
            "from app.planets import crud as planets_crud",
            "from app import crud as planets_crud",
            "from app.crud import planets as planets_crud",
        ),
        (
            "from app.planets import crud as planets",
            "from app import crud as planets",
            "from app.crud import planets",
        ),
        (
            "from app.planets import models",
            "from app import models",
            "from app.models import planet as models",
        ),
        (
            "from app.core.models import Base",
            "from app.core.models import Base",
            "from app.core.models import Base",
        ),
        ("from app import database", "from app import database", "from app import database"),
    ],
)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_import_is_moved_to_where_the_structure_has_the_module(
    statement: str, flat: str, layered: str, structure: str
) -> None:
    name = statement.split()[-1]
    lines = moons(structure, "services", f"{statement}\n\n{name}()\n")
    expected = {"flat": flat, "layered": layered, "by_feature": statement}
    assert [line for line in lines if "import" in line] == [expected[structure]]


@pytest.mark.parametrize(
    ("structure", "home"),
    [("flat", None), ("layered", "app.models.planet"), ("by_feature", "app.planets.models")],
)
def test_type_checking_import_is_moved_and_dropped_where_the_class_is_in_the_module(
    structure: str, home: str | None
) -> None:
    text = (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
        "    from app.planets.models import Planet\n    from app.planets.crud import get\n\n\n"
        'class Moon:\n    planet: "Planet"\n'
    )
    written = moons(structure, "models", text)
    lines = [line for line in written if "import" in line]
    if home:
        assert lines == [
            "from typing import TYPE_CHECKING",
            f"    from {home} import Planet",
        ]
    else:
        assert lines == []


def test_type_checking_and_runtime_imports_are_separate() -> None:
    text = (
        "from typing import TYPE_CHECKING\n\nfrom app.a import A\n\nif TYPE_CHECKING:\n\n"
        "    from app.b import B\n    import app.c\n\nfrom app.d import D\n\n"
        'A("")\nb: "B"\nc: "app.c.C"\nD\n'
    )
    written = rewrite(text)
    assert imports_of(written)[:8] == [
        "from typing import TYPE_CHECKING",
        "",
        "from app.a import A",
        "from app.d import D",
        "",
        "if TYPE_CHECKING:",
        "    import app.c",
        "    from app.b import B",
    ]
    assert problems(written, "I", "F") == ""


def test_name_that_is_needed_at_run_time_is_not_imported_for_type_checking_as_well() -> None:
    sources = {
        "planets.services": '"""P."""\n\nif TYPE_CHECKING:\n    from app.a import A\n\np: "A"\n',
        "moons.services": '"""M."""\n\nfrom app.a import A\n\nA()\n',
    }
    for order in (sources, dict(reversed(sources.items()))):
        lines = imports_of(join("app/services.py", order))
        assert [line for line in lines if "import" in line] == ["from app.a import A"]


def test_code_may_ask_for_type_checking_itself() -> None:
    text = (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from app.b import B\n\n"
        'b: "B"\nif not TYPE_CHECKING:\n    print()\n'
    )
    assert rewrite(text).count("import TYPE_CHECKING") == 1


# ---------------------------------------------------------------- Reading


def test_every_form_of_import_is_read() -> None:
    text = (
        '\n"""A docstring that is no\nimport of_anything."""\n\nimport json, re\n\n\n'
        "from a import (\n    A,\n    B as C,\n)\nfrom b import (D, E)\nfrom c import F, G as H\n"
        "import d.e as f\n\nprint(json, re, A, C, D, E, F, H, f)\n"
    ).lstrip()
    assert imports_of(rewrite(text)) == [
        *("import json", "import re", "", "import d.e as f", "from a import A"),
        *("from a import B as C", "from b import D, E", "from c import F", "from c import G as H"),
        *("", "print(json, re, A, C, D, E, F, H, f)"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "import a  # noqa",
        "from a import *",
        "from a import b  # noqa",
        "from .a import b",
        "from . import b",
        "from a import (  # noqa",
        "from a import b, \\",
        "import a; import b",
        "    import b",
        "    Alias = int",
        "else:",
    ],
)
def test_line_that_would_be_left_behind_is_an_error(line: str) -> None:
    start = (
        "if TYPE_CHECKING:\n    import a\n"
        if line in ("    Alias = int", "else:")
        else "import z\n"
    )
    with pytest.raises(FilterArgumentError, match=re.escape(line) + "$"):
        rewrite(f"{start}{line}\n    b\n)\n\nprint(a, b)\n")


@pytest.mark.parametrize("line", ["import a", "from a import b", "if TYPE_CHECKING:"])
def test_comment_among_the_imports_is_an_error(line: str) -> None:
    with pytest.raises(FilterArgumentError, match=f"app/planted.py: .*{line}"):
        rewrite(f"import z\n\n# About it.\n# More.\n\n{line}\n\nprint(a, b, z)\n")


def test_comment_after_the_imports_stays_with_the_code() -> None:
    written = rewrite("import z\n\n# About it.\nprint(z)  # noqa\n")
    assert written.endswith("\nimport z\n\n# About it.\nprint(z)  # noqa\n")


def test_missing_docstring_is_an_error() -> None:
    frame = "{% from 'includes/module.jinja' import docstring_of with context %}"
    jinja = environment({"a/source": "import a\n"})
    with pytest.raises(FilterArgumentError, match="a/source: the docstring is missing"):
        jinja.from_string(frame + "{{ docstring_of('a/source') }}").render(layout={})


# ---------------------------------------------------------------- Joining


def test_sources_that_import_the_same_share_the_import() -> None:
    sources = {
        "planets.services": '"""P."""\n\nimport json\nfrom a import A, B\n\nprint(json, A, B)\n',
        "moons.services": '"""M."""\n\nimport json\nfrom a import B, C\n\nprint(json, B, C)\n',
    }
    call = "from a import C\n\nprint(C)\n"
    written = join("app/services.py", sources, call=call)
    assert written == (
        '"""Planted."""\n\nimport json\n\nfrom a import A, B, C\n\nprint(json, A, B)\n\n\n'
        "print(json, B, C)\n\n\nprint(C)\n"
    )


@pytest.mark.parametrize("plain_first", [True, False])
def test_export_replaces_a_plain_import_and_is_kept_if_unused(plain_first: bool) -> None:
    texts = ["from a import Base\n\nBase()\n", "from a import Base as Base\nfrom a import B as B\n"]
    if not plain_first:
        texts.reverse()
    sources = {
        f"{name}.services": f'"""A."""\n\n{text}'
        for name, text in zip(("planets", "moons"), texts, strict=True)
    }
    lines = imports_of(join("app/services.py", sources))
    assert lines[:2] == ["from a import B as B", "from a import Base as Base"]
    assert not [line for line in lines[2:] if "import" in line]


def test_source_stands_after_those_that_it_imports() -> None:
    sources = {
        "a.models": '"""A."""\n\nfrom app.b.models import B\n\n\nclass A(B): ...\n',
        "b.models": '"""B."""\n\nfrom app.c.models import C\n\n\nclass B(C): ...\n',
        "c.models": '"""C."""\n\n\nclass C: ...\n',
        "d.models": '"""D."""\n\n\nclass D: ...\n',
    }
    written = join("app/models.py", sources, call="from app.a.models import A\n\nprint(A)\n")
    assert re.findall(r"class (\w)", written) == ["C", "B", "A", "D"]
    assert "import" not in written
    assert problems(written, "F", "I") == ""


def test_import_for_type_checking_decides_no_order_and_may_go_round() -> None:
    sources = {
        f"{one}.models": f'"""A."""\n\nif TYPE_CHECKING:\n    from app.{other}.models import X\n\n'
        f'class {one.upper()}:\n    other: "X"\n'
        for one, other in ("ab", "ba")
    }
    assert re.findall(r"class (\w)", join("app/models.py", sources)) == ["A", "B"]


def test_sources_that_import_each_other_are_an_error() -> None:
    sources = {
        f"{one}.crud": f'"""A."""\n\nfrom app.{other}.crud import x\n\nx()\n'
        for one, other in ("ab", "bc", "ca")
    }
    message = "import each other: app.a.crud, app.b.crud, app.c.crud, app.a.crud"
    with pytest.raises(FilterArgumentError, match=message):
        join("app/crud.py", sources)


def test_parts_of_one_file_may_import_from_it() -> None:
    text = "from app.core.planted import Planet\n\nprint(Planet)\n"
    assert "import" not in rewrite(text, "app/core/planted.py")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from app.planets import crud", "import members of app.planets.crud"),
        ("from app.planets import crud as c", "import members of app.planets.crud"),
        ("import app.planets.crud", "import members of app.planets.crud"),
        ("from app.planets.crud import get as c", "app.planets.crud.get cannot be renamed"),
    ],
)
def test_import_that_not_every_structure_can_have_is_an_error(statement: str, message: str) -> None:
    with pytest.raises(FilterArgumentError, match=f"app.moons.crud: {message}"):
        moons("flat", "crud", f"{statement}\n\nprint(crud, c, app)\n")


def test_module_without_imports_and_code_is_its_docstring() -> None:
    assert rewrite("import json\n") == '"""Planted."""\n'
