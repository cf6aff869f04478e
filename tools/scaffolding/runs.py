"""What the tool does: add a resource or fields, or undo that."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from scaffolding import changes, state
from scaffolding.errors import Refused, listed, refuse_all
from scaffolding.fields import Field, parse_fields
from scaffolding.merging import added, has_marker, merged
from scaffolding.names import check_resource_name, class_name, plural_of
from scaffolding.resource import Resources, describe
from scaffolding.service import Service
from scaffolding.template import add_room, check_release, fetched, rendered

# The types of which existing rows get a value. A value of other types would be made up, and
# requests reject an empty text where one is required.
FILLED = {"int", "float", "money", "bool", "enum", "json"}
MAX_MESSAGE = 30
# Modules of a resource, and of flat services, that each further field changes.
ALWAYS_CHANGED = re.compile(
    r"^app/(?:.+/)?(?:models|schemas)(?:/(?!__init__)\w+)?\.py$|^tests/(?:fixtures/|test_)"
)
# Modules with a line for the owner's own code, to which a resource adds nothing.
UNUSED = {"settings", "jobs", "services"}
Files = dict[str, str]
Change = Callable[[str, str, str, str], str]


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
                files = merge_all(copy, python, trees, Path(folder))
            else:
                files = add_all(copy, trees[0], trees[1])
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


@contextmanager
def rendered_versions(
    service: Service, commit: str, versions: Sequence[Mapping[str, Any]], folder: Path
) -> Iterator[list[Path]]:
    """Yield the service rendered without the resource, and with each version of it."""
    with fetched(service.answers, commit) as template:
        trees = [rendered(template, service.answers, folder / "base")]
        for number, resource in enumerate(versions):
            variant = folder / f"template{number}"
            shutil.copytree(template, variant)
            add_room(variant, resource, accounts=service.has_accounts)
            trees.append(rendered(variant, service.answers, folder / f"with{number}"))
        yield trees


def modules_of(tree: Path) -> Files:
    found = [*(tree / "app").rglob("*.py"), *(tree / "tests").rglob("*.py")]
    return {path.relative_to(tree).as_posix(): path.read_text() for path in found}


def add_all(copy: Service, base: Path, new: Path) -> Files:
    """Return the files that the resource adds or changes."""
    before = modules_of(base)
    return change_all(copy, added, before, modules_of(new), "use another name for the resource")


def merge_all(copy: Service, python: Path, trees: Sequence[Path], folder: Path) -> Files:
    """Return the files that more fields change."""
    old = placed(copy, python, trees[0], trees[1], folder / "old")
    new = placed(copy, python, trees[0], trees[2], folder / "new")
    return change_all(copy, merging(copy, python), old, new, "rename it, and run this again")


def merging(copy: Service, python: Path) -> Change:
    def change(owners: str, old: str, new: str, name: str) -> str:
        return merged(owners, old, new, name, partial(copy.formatted, python, name))

    return change


def change_all(copy: Service, change: Change, old: Files, new: Files, advice: str) -> Files:
    """Return the files that change from the old to the new ones, or refuse for all reasons."""
    files: Files = {}
    reasons: list[Refused] = []
    for name, text in new.items():
        if old.get(name) == text:
            continue
        try:
            if name in old:
                files[name] = changed(copy, name, change, old[name], text)
            elif (copy.folder / name).exists():
                raise Refused(f"{name} exists already: {advice}.")
            else:
                files[name] = text
        except Refused as reason:
            reasons.append(reason)
    refuse_all(reasons)
    return files


def changed(copy: Service, name: str, change: Change, old: str, new: str) -> str:
    try:
        return change((copy.folder / name).read_text(), old, new, name)
    except FileNotFoundError:
        raise Refused(
            f"{name} is missing, and this changes it: restore it, and run this again."
        ) from None
    except UnicodeDecodeError:
        raise Refused(f"{name} is not encoded in UTF-8: convert it first.") from None
    except SyntaxError as error:
        raise Refused(
            f"{name} is no valid Python in line {error.lineno}: correct it first."
        ) from None


def placed(copy: Service, python: Path, base: Path, new: Path, folder: Path) -> Files:
    """Return the files of a resource as they were written into an unedited service."""
    before, after = modules_of(base), modules_of(new)
    written = Service.__new__(Service)
    written.folder = folder
    folder.mkdir()
    shutil.copy(copy.folder / "pyproject.toml", folder)
    files = {
        name: added(before[name], before[name], text, name) if name in before else text
        for name, text in after.items()
        if before.get(name) != text
    }
    apply(written, python, files)
    return {name: (folder / name).read_text() for name in files}


def apply(copy: Service, python: Path, files: Files) -> None:
    existing = [name for name in files if (copy.folder / name).exists()]
    unformatted = copy.unformatted(python, existing) if existing else []
    for name, text in files.items():
        (copy.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.folder / name).write_text(text)
    copy.format(python, files, unformatted)


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


# ---------------------------------------------------------------- Undo


def undo(service: Service, name: str, dry_run: bool, unapplied: bool) -> str:
    """Undo the newest run for a resource; return what to print."""
    known = state.read(service.folder)
    if name not in known:
        names = ", ".join(sorted(known)) or "nothing"
        raise Refused(f"This tool did not add {name}, so it cannot undo it; it added {names}.")
    resource = known[name]
    run = resource.runs[-1]
    python = service.python
    check_unapplied(service, python, run, unapplied)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        result = restored(service, python, name, resource, Path(folder))
        copy = service.copy_to(Path(folder, "service"))
        changes.write(copy.folder, result)
        copy.ask(python, "compare")
    resource.runs.pop()
    if not resource.runs:
        del known[name]
    text = state.written(known)
    result[state.NAME] = text.encode() if text else None
    if dry_run:
        return changes.diff(service.folder, result)
    changes.write(service.folder, result)
    return "".join(f"  {each}\n" for each in sorted(result)) + "The newest run is undone.\n"


def check_unapplied(service: Service, python: Path, run: state.Run, unapplied: bool) -> None:
    found = service.ask(python, "applied", *run.revisions)
    last = run.revisions[-1]
    if found["following"]:
        raise Refused(
            f"The migration {found['following'][0]} follows {last}: undo it first, or remove the"
            " resource by a migration of your own."
        )
    if found["applied"]:
        raise Refused(
            f"The migration {found['applied'][-1]} is applied: run `uv run alembic downgrade"
            f" -{len(found['applied'])}`, which drops what it created. If other databases have it"
            " too, write a migration instead."
        )
    if found["applied"] is None and not unapplied:
        raise Refused(
            f"The database of DATABASE_URL is unreachable ({found['error']}): start it, or add"
            f" --unapplied if the migration {last} was never applied."
        )


def restored(
    service: Service, python: Path, name: str, resource: state.Resource, folder: Path
) -> changes.Changes:
    """Return each file as it was before the newest run, or without what the run added."""
    run = resource.runs[-1]
    result: changes.Changes = {}
    edited: list[str] = []
    created: list[str] = []  # by the newest run, and edited since
    for path, (before, after) in run.files.items():
        file = service.folder / path
        content = file.read_bytes() if file.exists() else b""
        if state.object_id(content) != after:
            if not before:
                created.append(path)
            edited.append(path)
        elif not before:
            result[path] = None
        elif (old := stored(service, before)) is not None:
            result[path] = old
        else:
            edited.append(path)
    if created:
        verb = "was" if len(created) == 1 else "were"
        raise Refused(
            f"{listed(created)} {verb} edited since: delete the resource by hand, or undo your"
            " edits."
        )
    if edited:
        texts = unmerged(service, python, name, resource, edited, folder)
        result |= {path: text.encode() for path, text in texts.items()}
    return result


def stored(service: Service, identifier: str) -> bytes | None:
    text = service.git("cat-file", "blob", identifier)
    content = text.encode() if text is not None else b""
    return content if text is not None and state.object_id(content) == identifier else None


def unmerged(
    service: Service,
    python: Path,
    name: str,
    resource: state.Resource,
    edited: Sequence[str],
    folder: Path,
) -> Files:
    """Return edited files without what the newest run added to them."""
    run = resource.runs[-1]
    copy = service.copy_to(folder / "edited")
    fields = parse_fields(resource.fields)
    kept = fields[: len(fields) - len(run.fields)]
    resources = Resources(copy, copy.ask(python, "describe"))
    some = ([kept] if kept else []) + [fields]
    versions = [
        describe(name, resource.plural, each, len(resource.runs[0].fields), resources)
        for each in some
    ]
    with rendered_versions(service, run.commit, versions, folder) as trees:
        new = placed(copy, python, trees[0], trees[-1], folder / "new")
        old = (
            placed(copy, python, trees[0], trees[1], folder / "old")
            if kept
            else modules_of(trees[0])
        )
    before, after = ({path: each[path] for path in edited} for each in (new, old))
    files = change_all(copy, merging(copy, python), before, after, "rename it, and run this again")
    apply(copy, python, files)
    return {path: (copy.folder / path).read_text() for path in files}
