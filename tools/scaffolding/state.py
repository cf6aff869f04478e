"""What was scaffolded, in `.scaffold.json`: for `--undo`, and for fields that are added later."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

from scaffolding.errors import Refused

NAME = ".scaffold.json"


@dataclass
class Run:
    """One run of the tool for a resource."""

    fields: list[str]
    commit: str
    revisions: list[str]
    # The Git object IDs of each written file, before and after; empty if it did not exist.
    files: dict[str, list[str]]


@dataclass
class Resource:
    plural: str
    runs: list[Run] = field(default_factory=list)

    @property
    def fields(self) -> list[str]:
        return [text for run in self.runs for text in run.fields]


State = dict[str, Resource]


def read(folder: Path) -> State:
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text())
        return {
            name: Resource(each["plural"], [Run(**run) for run in each["runs"]])
            for name, each in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"{NAME} cannot be read: restore it from git.") from None


def written(state: State) -> str:
    """Return the text of the file; empty if there is no resource."""
    found = {name: asdict(resource) for name, resource in sorted(state.items())}
    return json.dumps(found, indent=2) + "\n" if found else ""


def object_id(content: bytes) -> str:
    """Return the ID that git gives to a file with this content."""
    return sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()
