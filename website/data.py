"""Writes the data of the explorer as classic scripts, which browsers also load from `file:`."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from website.commands import option
from website.questions import Answers, Questionnaire, key
from website.renders import Renders
from website.tables import tables
from website.texts import stored


@dataclass
class Store:
    """The texts of each path, by their digest or text, in the order in which they were added."""

    texts: dict[str, dict[str, int]] = field(default_factory=dict)

    def index(self, path: str, text: str) -> int:
        """The index of a text among those of its path."""
        of_path = self.texts.setdefault(path, {})
        return of_path.setdefault(text, len(of_path))


def index_of(
    questionnaire: Questionnaire,
    combinations: list[Answers],
    renders: Renders,
    store: Store,
) -> dict[str, Any]:
    """What the page needs at once: the questions, and which file each combination has."""
    paths = {}
    for path, table in tables(combinations, renders.services).items():
        cells = {
            answers: store.index(path, renders.texts[digest])
            for answers, digest in table.cells.items()
        }
        paths[path] = {"positions": table.positions, "cells": cells}
    return {
        "questions": [
            asdict(questionnaire, position) for position in questionnaire.positions.values()
        ],
        "combinations": [key(answers) for answers in combinations],
        "paths": paths,
    }


def asdict(questionnaire: Questionnaire, position: int) -> dict[str, Any]:
    """A question as the page needs it."""
    question = questionnaire.questions[position]
    needed, defaults = questionnaire.table(question.default)
    conditions, when = questionnaire.table(question.when)
    return {
        "name": question.name,
        "title": question.title,
        "help": question.help,
        "labels": question.labels,
        "values": question.values,
        "several": question.several,
        "options": [option(question, answer) for answer in range(len(question.choices))],
        "default": {
            "positions": needed,
            "cells": {word: question.choices.index(value) for word, value in defaults.items()},
        },
        "when": {"positions": conditions, "cells": when},
    }


def sizes(store: Store) -> dict[str, list[list[int]]]:
    """The lines and bytes of each text of each path."""
    return {
        path: [[text.count("\n"), len(text.encode())] for text in texts]
        for path, texts in store.texts.items()
    }


def write(
    folder: Path,
    index: dict[str, Any],
    releases: dict[str, Any],
    store: Store,
    apply: Callable[..., Iterable[Any]] = map,
) -> None:
    """Write the data into a folder; `apply` is `map`, or that of a pool of processes."""
    (folder / "files").mkdir(parents=True)
    index = {**index, "sizes": sizes(store), "files": list(store.texts)}
    script(folder / "index.js", "index", index)
    script(folder / "releases.js", "releases", releases)
    contents = apply(stored, store.texts, [list(texts) for texts in store.texts.values()])
    for number, content in enumerate(contents):
        script(folder / "files" / f"{number}.js", f"file {number}", content)


def script(path: Path, name: str, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"explorer.receive({json.dumps(name)}, {text});\n")


def release_indexes(
    snapshots: Mapping[str, Mapping[str, Mapping[str, str]]], store: Store
) -> dict[str, dict[str, dict[str, int]]]:
    """The index of each text in place of the text."""
    return {
        version: {
            name: {path: store.index(path, text) for path, text in files.items()}
            for name, files in sets.items()
        }
        for version, sets in snapshots.items()
    }


def size_of(folder: Path) -> int:
    """The size of the files in a folder in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
