"""Fields as they are written on the command line, such as `state:enum:draft,sent:filter`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scaffolding.errors import Refused
from scaffolding.names import IRREGULAR, check_field_name, class_name

TYPES = (
    *("str", "text", "int", "float", "money", "bool", "date", "datetime", "uuid", "enum"),
    *("json", "ref", "refs"),
)
MODIFIERS = ("optional", "unique", "index", "filter", "sort")
# The types that support each modifier.
SUPPORTED = {
    "optional": set(TYPES),
    "unique": {"str", "int", "money", "date", "datetime", "uuid"},
    "filter": {"str", "int", "money", "bool", "date", "datetime", "uuid", "enum", "ref"},
    "sort": {"str", "int", "float", "money", "date", "datetime"},
}
SUPPORTED["index"] = SUPPORTED["filter"] | SUPPORTED["sort"]
# Stored in a column of 20 characters, and a member of a Python enum.
CHOICE = re.compile(r"[a-z][a-z0-9_-]{0,19}")


@dataclass(frozen=True)
class Field:
    """A field; `written` is its text on the command line."""

    written: str
    name: str
    type: str
    target: str = ""
    choices: tuple[str, ...] = ()
    modifiers: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The name in requests and responses."""
        if self.type == "refs":
            return f"{target_of(self.name, self.type)}_ids"
        return f"{self.name}_id" if self.type == "ref" else self.name


def parse_fields(texts: Sequence[str]) -> list[Field]:
    """Raises `Refused` for the first mistake."""
    fields = [parse_field(text) for text in texts]
    names: set[str] = set()
    classes: dict[str, str] = {}
    for field in fields:
        for name in {field.name, field.key}:
            if name in names:
                raise Refused(f"The field {name} is given twice, or exists: leave it out.")
        names |= {field.name, field.key}
        other = classes.setdefault(class_name(field.name), field.name)
        if other != field.name:
            raise Refused(f"The types of {other} and {field.name} would have one name: rename one.")
    return fields


def parse_field(text: str) -> Field:
    name, *parts = text.split(":")
    if not parts or not parts[0]:
        raise Refused(
            f"{text!r} has no type: write {name or 'name'}:str, or one of {', '.join(TYPES)}."
        )
    kind, *rest = parts
    if kind not in TYPES:
        raise Refused(f"{kind!r} in {text!r} is not a type: use one of {', '.join(TYPES)}.")
    check_field_name(name, kind, text)
    choices: tuple[str, ...] = ()
    target = ""
    if kind == "enum":
        choices = parse_choices(text, rest.pop(0) if rest else "")
    elif kind in {"ref", "refs"}:
        target = rest.pop(0) if rest and rest[0] not in MODIFIERS else target_of(name, kind)
    for modifier in rest:
        if modifier not in MODIFIERS:
            raise Refused(
                f"{modifier!r} in {text!r} is not a modifier: use {', '.join(MODIFIERS)}, or"
                " nothing."
            )
        if rest.count(modifier) > 1:
            raise Refused(f"{text!r} says {modifier} twice: leave one out.")
        if kind not in SUPPORTED[modifier]:
            raise Refused(
                f"Fields of type {kind} do not support {modifier}: leave it out in {text!r}."
            )
    if {"optional", "sort"} <= set(rest):
        raise Refused(
            "A list cannot be sorted by a field that may be null: "
            f"leave out `optional` or `sort` in {text!r}."
        )
    return Field(text, name, kind, target, choices, frozenset(rest))


def parse_choices(text: str, values: str) -> tuple[str, ...]:
    choices = tuple(values.split(","))
    if choices == ("",) or choices[0] in MODIFIERS:
        raise Refused(f"{text!r} has no values: write them as in state:enum:draft,sent,paid.")
    for choice in choices:
        if not CHOICE.fullmatch(choice):
            raise Refused(
                f"{choice!r} in {text!r} cannot be a value: use at most 20 of a-z, 0-9, _ and -,"
                " and start with a letter."
            )
    members = [choice.replace("-", "_") for choice in choices]
    for member, choice in zip(members, choices, strict=True):
        if members.count(member) > 1:
            raise Refused(f"{text!r} has the value {choice} twice: leave one out.")
    return choices


def target_of(name: str, kind: str) -> str:
    """Return the resource that a field refers to if only the field's name says it."""
    if kind == "ref":
        return name
    *before, word = name.split("_")
    if singular := {plural: each for each, plural in IRREGULAR.items()}.get(word):
        return "_".join([*before, singular])
    if re.search("(?:ly|the|agno|cri)ses$", name):
        return f"{name[:-2]}is"
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-2] if re.search("(?:ss|x|z|ch|sh)es$", name) else name.removesuffix("s")
