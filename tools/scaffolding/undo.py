"""Undo the newest run for a resource."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from scaffolding import changes, state
from scaffolding.errors import Refused, listed
from scaffolding.fields import parse_fields
from scaffolding.files import Files, apply, differing, merge_files, placed, rendered_versions
from scaffolding.resource import Resources, describe
from scaffolding.service import Service


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
        new = placed(copy, python, trees[0], trees[-1])
        if kept:
            old = placed(copy, python, trees[0], trees[1])
        else:
            old, _ = differing(copy, python, trees[0], trees[-1])
    before, after = ({path: each[path] for path in edited} for each in (new, old))
    files = merge_files(copy, python, before, after)
    apply(copy, python, files)
    return {path: (copy.folder / path).read_text() for path in files}
