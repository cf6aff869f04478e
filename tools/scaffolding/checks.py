"""Reasons to refuse a run: names and fields that do not fit, and uncommitted changes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scaffolding import state
from scaffolding.errors import Refused, listed
from scaffolding.fields import Field
from scaffolding.modules import has_marker
from scaffolding.names import class_name
from scaffolding.service import Service

# The types of which existing rows get a value. A value of other types would be made up, and
# requests reject an empty text where one is required.
FILLED = {"int", "float", "money", "bool", "enum", "json"}
# Modules of a resource, and of flat services, that each further field changes.
ALWAYS_CHANGED = re.compile(
    r"^app/(?:.+/)?(?:models|schemas)(?:/(?!__init__)\w+)?\.py$|^tests/(?:fixtures/|test_)"
)
# Modules with a line for the owner's own code, to which a resource adds nothing.
UNUSED = {"settings", "jobs", "services"}


def check_added_fields(fields: Sequence[Field]) -> None:
    for field in fields:
        if "optional" in field.modifiers or field.type == "refs":
            continue
        if field.type not in FILLED:
            reason = f"have no {field.name}"
        elif "unique" in field.modifiers:
            reason = f"would all have the same {field.name}"
        else:
            continue
        optional = f"{field.written}:optional"
        raise Refused(
            f"Existing rows {reason}: add it as {optional}, fill it, and make it required by a"
            " migration of your own."
        )


def check_names(name: str, plural: str, description: Mapping[str, Any], copy: Service) -> None:
    """Refuse names that the service uses already."""
    fixtures = copy.fixtures()
    url = f"/{plural.replace('_', '-')}"
    taken = {
        f"a table {plural}": plural in description["tables"],
        f"endpoints at {url}": any(
            f"{path}/".startswith(f"{url}/") for path in description["paths"]
        ),
        f"a class {class_name(name)}": class_name(name) in description["classes"],
        f"an error {class_name(name)}NotFound": f"{class_name(name)}NotFound"
        in description["errors"],
        f"a fixture {name}": name in fixtures,
        f"a fixture {name}_body": f"{name}_body" in fixtures,
        f"a module app.{plural}": any(
            (copy.folder / "app" / each).exists() for each in (plural, f"{plural}.py")
        ),
    }
    if found := next((what for what, is_taken in taken.items() if is_taken), None):
        raise Refused(f"The service has {found} already: use another name than {name}.")


def check_owner(name: str, description: Mapping[str, Any], copy: Service) -> None:
    """Refuse more fields of a resource that is older than the accounts of the service."""
    for each in description["targets"]:
        if copy.has_accounts and each["class"] == class_name(name) and not each["owner"]:
            raise Refused(
                f"{name} was added before the service had accounts, so its rows belong to no user:"
                " add an `owner_id` as the examples have it, or add the fields by hand."
            )


def check_names_of_fields(
    name: str, fields: Sequence[Field], description: Mapping[str, Any]
) -> None:
    """Refuse tables and classes that the service has already."""
    for field in fields:
        table, of_field = f"{name}_{field.name}", class_name(name) + class_name(field.name)
        if field.type == "refs" and field.name == name:
            found = f"a function parameter {name}"
        elif field.type == "refs" and table in description["tables"]:
            found = f"a table {table}"
        elif field.type == "enum" and of_field in description["classes"]:
            found = f"a class {of_field}"
        else:
            continue
        raise Refused(f"The service has {found} already: use another name than {field.name}.")


def changed_first(
    service: Service, before: state.Resource | None, fields: Sequence[Field]
) -> list[str]:
    """Return files that a run changes in any case, which is known without the template."""
    if before:
        written = {name for run in before.runs for name in run.files}
        return [name for name in written if ALWAYS_CHANGED.search(name)]
    unused = UNUSED - ({"services"} if any(field.target for field in fields) else set())
    paths = [*service.folder.glob("app/**/*.py"), *service.folder.glob("tests/*.py")]
    return [
        path.relative_to(service.folder).as_posix()
        for path in paths
        if path.stem not in unused and has_marker(path.read_text(errors="replace"))
    ]


def check_clean(service: Service, known: state.State, names: Iterable[str]) -> None:
    """Refuse to touch files with uncommitted changes, other than those of this tool."""
    ours = {ids[-1] for each in known.values() for run in each.runs for ids in run.files.values()}
    changed = [
        name
        for name in sorted(names)
        if (path := service.folder / name).exists()
        and state.object_id(path.read_bytes()) not in ours
        and service.git("status", "--porcelain", "--", name)
    ]
    if changed:
        verb = "has" if len(changed) == 1 else "have"
        raise Refused(
            f"{listed(changed)} {verb} uncommitted changes: commit them, and run this again."
        )
