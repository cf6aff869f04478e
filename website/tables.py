"""For each path, a table from the answers that matter to its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from website.questions import Answers, key


@dataclass
class Table:
    """The digest of a file by the answers at some positions; a missing cell means no file."""

    positions: tuple[int, ...]
    cells: dict[str, str] = field(default_factory=dict)

    def digest(self, answers: Answers) -> str | None:
        return self.cells.get(key([answers[position] for position in self.positions]))


def tables(
    combinations: Sequence[Answers], services: Sequence[Mapping[str, str]]
) -> dict[str, Table]:
    """The table of each path that one of the services has."""
    paths = sorted({path for service in services for path in service})
    return {path: table(combinations, [each.get(path) for each in services]) for path in paths}


def table(combinations: Sequence[Answers], digests: Sequence[str | None]) -> Table:
    """The table with the fewest answers that tell these digests apart.

    It leaves out one answer after another, as long as equal answers mean equal digests.
    """
    rows = dict(zip(combinations, digests, strict=True))
    positions = list(range(len(combinations[0])))
    for position in reversed(positions):
        index = positions.index(position)
        if shorter := without(rows, index):
            rows = shorter
            positions.remove(position)
    cells = {key(answers): digest for answers, digest in rows.items() if digest}
    return Table(tuple(positions), cells)


def without(rows: Mapping[Answers, str | None], index: int) -> dict[Answers, str | None] | None:
    """The rows without the answers at an index, or None if these make a difference."""
    shorter: dict[Answers, str | None] = {}
    for answers, digest in rows.items():
        rest = answers[:index] + answers[index + 1 :]
        if shorter.setdefault(rest, digest) != digest:
            return None
    return shorter
