"""An import is kept when the code uses its name, and only then."""

import pytest

from tests.template.modules import problems, rewrite

IMPORT = "from app.planets import Planet\n"

USES = {
    "call": "planet = Planet(1)\n",
    "attribute of it": "print(Planet.name)\n",
    "argument": "print(1, Planet)\n",
    "value of a keyword": "print(planet=Planet)\n",
    "default": "def land(planet=Planet): ...\n",
    "after a comment sign in a string": 'print("#", Planet)\n',
    "after an apostrophe in a comment": "# It's a comment.\nprint(Planet, 'a')\n",
    "after an escaped quote": 'print("\\"", Planet, "\\"")\n',
    "after a string that ends in f": 'print("-f", Planet, f"")\n',
    "between docstrings with quotes": '"""A "word"."""\nprint(Planet)\n"""A "word"."""\n',
    "annotation": "def land(planet: Planet) -> None: ...\n",
    "subscript": "planets: list[Planet] = []\n",
    "annotation in quotes": 'def land(planet: "Planet") -> None: ...\n',
    "optional annotation in quotes": 'def land(planet: "Planet | None") -> None: ...\n',
    "returned type in quotes": 'def land() -> "Planet": ...\n',
    "mapped type in quotes": 'planet: Mapped["Planet"] = relationship()\n',
    "mapped list in quotes": 'planets: Mapped[list["Planet"]] = relationship()\n',
    "list as a whole in quotes": 'planets: "list[Planet]" = []\n',
    "second type in quotes": 'planets: dict[str, "Planet"] = {}\n',
    "both types in quotes": 'planets: dict["int", "Planet"] = {}\n',
    "first of several arguments in quotes": 'planet: Annotated["Planet", Depends()]\n',
    "half of a union in quotes": 'planet: None | "Planet" = None\n',
    "cast": 'from typing import cast\n\nplanet = cast("Planet", row)\n',
    "bound": 'from typing import TypeVar\n\nT = TypeVar("T", bound="Planet")\n',
    "field of an f-string": 'print(f"on {Planet}")\n',
    "field of a long f-string": 'print(f"""on\n{Planet.name!r:>10}""")\n',
    "field after an f-string": 'print(["-f", f"{Planet}"])\n',
    "width of a field": 'print(f"{1:{Planet}}")\n',
    "field with its name": 'print(f"{Planet=}")\n',
    "field in braces": 'print(f"{{{Planet}}}")\n',
    "raw f-string": 'print(rf"\\d{Planet}")\n',
    "decorator": "@Planet\ndef land() -> None: ...\n",
    "base class": "class Moon(Planet): ...\n",
    "comparison": "print(1 == Planet)\n",
    "ellipsis before it": "print(..., Planet)\n",
    "unpacked": "print(*Planet)\n",
}
NO_USES = {
    "nowhere": "print()\n",
    "docstring": 'def land() -> None:\n    """On a Planet: `Mapped["Planet"]`."""\n',
    "docstring with quotes": '"""A "Planet"."""\n',
    "docstring with apostrophes": "'''It's a Planet.'''\n",
    "comment": "print()  # a Planet, \"Planet\", f'{Planet}'\n",
    "string": 'print("Planet")\n',
    "one of several strings": 'print("a", "Planet", \'Planet\')\n',
    "string of several words": 'print("the Planet")\n',
    "key": 'print({"Planet": 1})\n',
    "table of a relationship": 'relationship("Planet", back_populates="Planet")\n',
    "bytes": 'print(b"Planet")\n',
    "text of an f-string": 'print(f"Planet {1}")\n',
    "string in an f-string": "print(f\"{row['Planet']}\")\n",
    "braces that are text": 'print(f"{{Planet}}")\n',
    "attribute": "print(row.Planet)\n",
    "attribute in an f-string": 'print(f"{row.Planet}")\n',
    "attribute on a line of its own": "print(\n    row\n    .Planet\n)\n",
    "keyword": "print(Planet=1)\n",
    "part of a name": "print(PlanetType, APlanet, Planet_)\n",
    "other case": "print(planet, PLANET)\n",
}


@pytest.mark.parametrize("code", USES.values(), ids=USES)
def test_name_that_is_used_is_imported(code: str) -> None:
    written = rewrite(f"{IMPORT}\n{code}")
    assert IMPORT in written
    assert "F401" not in problems(written, "F")


@pytest.mark.parametrize("code", NO_USES.values(), ids=NO_USES)
def test_name_that_is_not_used_is_not_imported(code: str) -> None:
    written = rewrite(f"{IMPORT}\n{code}")
    assert "import" not in written
    assert "Undefined name `Planet`" not in problems(written, "F")


@pytest.mark.parametrize(
    ("statement", "code", "kept"),
    [
        ("import json", "json.dumps(1)", True),
        ("import time", 'patch.setattr(time, "sleep", 1)', True),
        ("import json", "client.post(json=1)", False),
        ("import json", "response.json()", False),
        ("import json as j", "j.dumps(1)", True),
        ("import json as j", "json.dumps(1)", False),
        ("import xml.etree", "xml.etree.parse(1)", True),
        ("import xml.etree", "etree.parse(1)", False),
        ("from app import Planet as P", "P(1)", True),
        ("from app import Planet as P", "Planet(1)", False),
        ("from app import Planet as Planet", "print()", True),
    ],
)
def test_name_in_this_module_decides(statement: str, code: str, kept: bool) -> None:
    assert (f"\n{statement}\n" in rewrite(f"{statement}\n\n{code}\n")) is kept


def test_parameter_with_the_name_of_an_import_that_is_used_elsewhere_changes_nothing() -> None:
    code = "def show(text: str) -> None:\n    text.strip()\n\n\nprint(text(1))\n"
    assert problems(rewrite(f"from app import text\n\n\n{code}"), "F", "I") == ""


@pytest.mark.parametrize(
    "code",
    [
        "def show(text: str) -> None:\n    text.strip()\n",
        'print({name: "text"})\n',
    ],
    ids=["parameter", "value in a dictionary"],
)
def test_linter_reports_what_the_macro_takes_for_a_use(code: str) -> None:
    assert "F401" in problems(rewrite(f"from app import text\n\n\n{code}"), "F")


def test_linter_reports_what_the_macro_takes_for_a_string() -> None:
    code = 'planet: dict[\n    str,\n    "Planet",\n]\n'
    assert "F821" in problems(rewrite(f"{IMPORT}\n\n{code}"), "F")
