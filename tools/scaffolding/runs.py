"""Add a resource, or fields to one."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scaffolding import changes, state
from scaffolding.checks import (
    changed_first,
    check_added_fields,
    check_clean,
    check_names,
    check_names_of_fields,
    check_owner,
)
from scaffolding.errors import Refused, listed
from scaffolding.fields import Field, parse_fields
from scaffolding.files import add_all, apply, merge_all, rendered_versions
from scaffolding.names import check_resource_name, plural_of
from scaffolding.resource import Resources, describe
from scaffolding.service import Service
from scaffolding.template import check_release

MAX_MESSAGE = 30


def add(
    service: Service, name: str, texts: Sequence[str], plural: str | None, dry_run: bool
) -> str:
    """Add a resource, or fields to one; return what to print."""
    check_release(service.answers)
    known = state.read(service.folder)
    before = known.get(name)
    fields = parse_fields([*(before.fields if before else []), *texts])
    new_fields = fields[len(before.fields) :] if before else fields
    if not texts:
        raise Refused(f"Name at least one field to add, such as {name} title:str.")
    if before:
        if plural not in {None, before.plural}:
            raise Refused(f"The plural of {name} is {before.plural} already: leave --plural out.")
        plural = before.plural
        check_added_fields(new_fields)
    else:
        plural = plural_of(name) if plural is None else plural
        check_resource_name(name, plural)
    python = service.python
    if not dry_run:
        check_clean(service, known, changed_first(service, before, new_fields))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = service.copy_to(Path(folder, "service"))
        unchanged = shutil.copytree(copy.folder, Path(folder, "unchanged"))
        description = copy.ask(python, "describe")
        if before is None:
            check_names(name, plural, description, copy)
        else:
            check_owner(name, description, copy)
        check_names_of_fields(name, new_fields, description)
        resources = Resources(copy, description)
        first = len(before.runs[0].fields) if before else len(fields)
        versions = [
            describe(name, plural, some, first, resources)
            for some in ([fields[: -len(new_fields)]] if before else []) + [fields]
        ]
        commit = before.runs[-1].commit if before else str(service.answers.get("_commit", ""))
        with rendered_versions(service, commit, versions, Path(folder)) as trees:
            if before:
                files = merge_all(copy, python, trees)
            else:
                files = add_all(copy, python, trees[0], trees[1])
        if not dry_run:
            check_clean(service, known, files)
        apply(copy, python, files)
        copy.lint(python, files)
        asked = options(name, plural, new_fields, unchanged, extends=bool(before))
        found = copy.ask(python, "migrate", asked)
        copy.format(python, found["migrations"], [])
        names = [*files, *found["migrations"]]
        result: changes.Changes = {each: (copy.folder / each).read_bytes() for each in names}
    if not dry_run:
        keep_old(service, result)
    ids = object_ids(service, result)
    run = state.Run(list(texts), commit, found["revisions"], ids)
    known.setdefault(name, state.Resource(plural)).runs.append(run)
    result[state.NAME] = state.written(known).encode()
    if dry_run:
        return changes.diff(service.folder, result)
    changes.write(service.folder, result)
    # The migrations come last, in the order in which they run.
    others = sorted(result.keys() - set(found["migrations"]))
    written = "".join(f"  {each}\n" for each in [*others, *found["migrations"]])
    lost = etag_is_lost(fields[: -len(new_fields)], fields) if before else ""
    return (
        f"{written}{lost}Read the diff with `git add -N .` and `git diff`. Then run"
        " `uv run alembic upgrade head` and `uv run pytest`.\n"
        f"Until the migration is applied, you can undo this with --undo.\n"
    )


def etag_is_lost(before: Sequence[Field], after: Sequence[Field]) -> str:
    """Return a sentence if responses have no `ETag` from now on."""
    if without_etag(before) or not (found := without_etag(after)):
        return ""
    return (
        f"Responses have no ETag from now on, because they change without their `version` when a"
        f" row that {listed(found)} refer{'s' * (len(found) == 1)} to is deleted. If-Match with the"
        " `version` still works.\n"
    )


def without_etag(fields: Sequence[Field]) -> list[str]:
    """Return the fields that the database changes when another row is deleted."""
    return [
        field.key
        for field in fields
        if field.type == "refs" or (field.type == "ref" and "optional" in field.modifiers)
    ]


def options(
    name: str, plural: str, fields: Sequence[Field], unchanged: Path, *, extends: bool
) -> str:
    names = ", ".join(field.name for field in fields)
    what = names if len(names) <= MAX_MESSAGE else f"{len(fields)} fields"
    message = f"Add {what} to {plural}" if extends else f"Create {plural}"
    return json.dumps(
        {
            "message": message,
            "extends": extends,
            "name": name,
            "plural": plural,
            "unchanged": str(unchanged),
        }
    )


def object_ids(service: Service, result: changes.Changes) -> dict[str, list[str]]:
    """Return the Git object IDs of each file, before and after."""
    ids = {}
    for name, content in sorted(result.items()):
        path = service.folder / name
        before = state.object_id(path.read_bytes()) if path.exists() else ""
        ids[name] = [before, state.object_id(content or b"")]
    return ids


def keep_old(service: Service, result: changes.Changes) -> None:
    """Store files in git, for `--undo`: what another run wrote may not be committed."""
    names = [name for name in sorted(result) if (service.folder / name).exists()]
    service.git("hash-object", "-w", "--no-filters", "--", *names)
