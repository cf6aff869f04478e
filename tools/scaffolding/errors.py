"""The error that ends the tool with a sentence, or one for each reason."""

from collections.abc import Sequence


class Refused(Exception):  # noqa: N818 — the field's word for input that is not accepted
    """What is wrong, and what to do. Nothing was written."""


class Conflicts(Refused):
    """Statements that the owner and the tool change, each with the tool's change as a patch."""

    def __init__(self, *patches: tuple[str, str]) -> None:
        super().__init__(*patches)
        self.patches = patches

    def __str__(self) -> str:
        places = listed([place for place, _ in self.patches])
        text = (
            f"Your edits of {places} and this change touch the same lines. Undo these edits,"
            " commit, run this again, and then make them again. The change:"
        )
        return "\n".join([text, *(patch for _, patch in self.patches)])


def refuse_all(reasons: Sequence[Refused]) -> None:
    """Raise one error for all reasons, if there are any; conflicts come last."""
    patches = [
        each for reason in reasons if isinstance(reason, Conflicts) for each in reason.patches
    ]
    others = [str(reason) for reason in reasons if not isinstance(reason, Conflicts)]
    if patches and not others:
        raise Conflicts(*patches)
    if reasons:
        raise Refused("\n".join([*others, *([str(Conflicts(*patches))] if patches else [])]))


def listed(words: Sequence[str]) -> str:
    """Join words as in "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
