"""All texts of one path: each line is stored once, and a text is a list of ranges of lines."""

from collections.abc import Sequence
from typing import Any

from website.highlighting import Line, lines


def stored(path: str, texts: Sequence[str]) -> dict[str, Any]:
    """The texts of a path, as explorer/texts.js reads them."""
    indexes: dict[Line, int] = {}
    ranges = []
    for text in texts:
        numbers = [indexes.setdefault(line, len(indexes)) for line in lines(path, text)]
        ranges.append(runs(numbers))
    return {
        "lines": [line for line, _ in indexes],
        "tokens": [tokens for _, tokens in indexes],
        "texts": ranges,
    }


def runs(numbers: Sequence[int]) -> list[int]:
    """Consecutive numbers as pairs of the first one and their count."""
    found: list[int] = []
    for number in numbers:
        if found and number == found[-2] + found[-1]:
            found[-1] += 1
        else:
            found += [number, 1]
    return found


def restored(content: dict[str, Any], index: int) -> str:
    """The text with this index."""
    ranges = content["texts"][index]
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    rows = [line for first, count in pairs for line in content["lines"][first : first + count]]
    return "".join(f"{row}\n" for row in rows)
