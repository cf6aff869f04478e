"""The description of a resource that the partials of the template read."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scaffolding.errors import Refused, listed
from scaffolding.fields import Field
from scaffolding.names import article, class_name
from scaffolding.service import Service

# MySQL allows 65535 bytes in a row: what a field takes at most.
MAX_ROW_BYTES = 60_000
# From a row to the ID of its user: a relationship and a column.
MAX_PATH = 2
BYTES = {"str": 400, "text": 8000, "enum": 80, "json": 12}


class Resources:
    """What a field can refer to: the tables of the service, and the resource itself."""

    def __init__(self, service: Service, description: Mapping[str, Any]) -> None:
        self.targets = {each["class"].lower(): each for each in description["targets"]}
        self.fixtures = service.fixtures()
        self.accounts = service.has_accounts
        authorization = service.folder / "tests" / "authorization.py"
        self.rows = authorization.read_text() if authorization.exists() else ""

    def target(self, field: Field, resource: Mapping[str, Any]) -> dict[str, Any]:
        if field.target == resource["name"]:
            if field.type == "ref" and "optional" not in field.modifiers:
                raise Refused(
                    f"The first {field.target} has no other to refer to: write"
                    f" {field.written}:optional."
                )
            return {
                "name": resource["name"],
                "plural": resource["plural"],
                "class": resource["class"],
                "table": resource["plural"],
                "models": f"app.{resource['plural']}.models",
                "crud": f"app.{resource['plural']}.crud",
                "owner": ["owner_id"] if self.accounts else [],
                "itself": True,
            }
        found = self.targets.get(class_name(field.target).lower())
        if found is None:
            known = ", ".join(sorted(self.known() | {str(resource["name"])}))
            names_it = f":{field.type}:{field.target}" in field.written
            advice = "name" if names_it else f"write {field.name}:{field.type}:NAME, where NAME is"
            raise Refused(
                f"There is no resource {field.target!r} for {field.written!r}: {advice} one of"
                f" {known}."
            )
        if found["class"] == "User":
            raise Refused(f"{field.written!r} cannot refer to users: a row belongs to its creator.")
        if field.type == "refs" and len(found["owner"]) > MAX_PATH:
            raise Refused(
                f"{field.written!r} cannot refer to {found['class']}, whose rows belong to users by"
                " more than one table: refer to one of those."
            )
        self.check(field, found)
        table = found["table"]
        return {
            "name": field.target,
            "plural": table,
            "class": found["class"],
            "table": table,
            "models": found["module"],
            "crud": found["crud"],
            "owner": found["owner"] if self.accounts else [],
            "itself": False,
        }

    def known(self) -> set[str]:
        return {
            name
            for each in self.targets.values()
            for name in each["get"]
            if name in self.fixtures and name != "user"
        }

    def check(self, field: Field, found: Mapping[str, Any]) -> None:
        name = field.target
        missing = []
        if found["key"] != "uuid":
            raise Refused(
                f"{found['class']}.id is not a UUID: {field.written!r} needs a table whose id is"
                " a UUID."
            )
        if name not in found["get"]:
            missing.append(f"functions get_{name} and {found['class']}NotFound in its crud")
        if name not in self.fixtures:
            missing.append(f"a fixture {name} in the tests")
        key = f"{name}_id" if found["owner"] else field.key
        if self.accounts and not re.search(rf"[\"']{key}[\"']", self.rows):
            missing.append(
                f"{key} in `rows_of` of tests/authorization.py"
                if found["owner"]
                else f"{key}, the ID of a row, in `PUBLIC_VALUES` of tests/authorization.py"
            )
        if missing:
            raise Refused(
                f"{field.written!r} cannot refer to {found['class']}: first add {listed(missing)}."
            )


def describe(
    name: str, plural: str, fields: Sequence[Field], first: int, resources: Resources
) -> dict[str, Any]:
    """Return what the partials need; the fields after the `first` ones came later."""
    resource: dict[str, Any] = {
        "name": name,
        "plural": plural,
        "class": class_name(name),
        "words": name.replace("_", " "),
        "plural_words": plural.replace("_", " "),
        "article": article(name.replace("_", " ")),
    }
    check_size(fields)
    resource["fields"] = [
        {
            "name": field.name,
            "type": field.type,
            "ids": field.key if field.type in {"ref", "refs"} else "",
            "choices": list(field.choices),
            "target": resources.target(field, resource) if field.target else None,
            "later": number >= first,
        }
        | {
            modifier: modifier in field.modifiers
            for modifier in ("optional", "unique", "index", "filter", "sort")
        }
        for number, field in enumerate(fields)
    ]
    return resource


def check_size(fields: Sequence[Field]) -> None:
    size = sum(BYTES.get(field.type, 20) for field in fields)
    if size > MAX_ROW_BYTES:
        raise Refused(
            f"A row of these fields could take {size} bytes, and MySQL allows 65535: use fewer"
            " fields of type text, or json for texts that belong together."
        )
