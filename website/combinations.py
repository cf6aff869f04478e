"""Which combinations of answers are rendered for the explorer.

Every driver with every structure and auth, and each of these with any one other question answered
otherwise; a selection with every pair of answers; and the presets.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import yaml

from harness.rendering import ROOT
from harness.variants import MAIN, SELECTION
from website.questions import Answers, Questionnaire

PRESETS = ROOT / "presets"


def presets(folder: Path = PRESETS) -> dict[str, dict[str, Any]]:
    """The answers of each preset, by the name of its file."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yml"))}


def combinations(questionnaire: Questionnaire) -> list[Answers]:
    """The combinations that are rendered, each once."""
    chosen = [
        answers
        for values in product(*MAIN.values())
        for answers in alternatives(questionnaire, dict(zip(MAIN, values, strict=True)))
    ]
    selected = [variant.answers for variant in SELECTION]
    return unique(questionnaire, [*chosen, *selected, *presets().values()])


def few_combinations(questionnaire: Questionnaire) -> list[Answers]:
    """The default answers, with any one question answered otherwise, and the presets."""
    return unique(questionnaire, [*alternatives(questionnaire, {}), *presets().values()])


def unique(questionnaire: Questionnaire, chosen: list[dict[str, Any]]) -> list[Answers]:
    return list(dict.fromkeys(map(questionnaire.resolve, chosen)))


def alternatives(questionnaire: Questionnaire, chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The chosen answers, and these with any one other question answered otherwise."""
    yield chosen
    for question in questionnaire.questions:
        if question.name not in chosen:
            for answer in question.choices:
                yield {**chosen, question.name: answer}


def total(questionnaire: Questionnaire) -> int:
    """The number of combinations that Copier accepts."""
    tables = [questionnaire.table(question.when) for question in questionnaire.questions]
    deciding = sorted({position for positions, _ in tables for position in positions})
    questions = questionnaire.questions
    count = 0
    for answers in product(*(questions[position].choices for position in deciding)):
        values = dict(zip([questions[each].name for each in deciding], answers, strict=True))
        count += prod(
            len(question.choices)
            for position, question in enumerate(questions)
            if position not in deciding and questionnaire.value_of(question.when, values)
        )
    return count
