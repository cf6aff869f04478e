"""The questions of copier.yml: their choices, their defaults, and when each is asked.

An answer is the index of a choice. For a question with several answers at once, it is a bit mask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, meta
from jinja2.sandbox import SandboxedEnvironment

JINJA = SandboxedEnvironment(undefined=StrictUndefined)
# Questions whose conditions use these are asked only on updates.
OF_UPDATES = {"adds", "is_update", "previous_answers", "unowned_tables"}
Answers = tuple[int, ...]


@dataclass(frozen=True)
class Question:
    name: str
    title: str
    help: str
    labels: tuple[str, ...]
    values: tuple[Any, ...]
    several: bool
    default: Any
    when: Any

    @cached_property
    def choices(self) -> tuple[Any, ...]:
        """The answers that Copier accepts, in the order of their indexes."""
        if not self.several:
            return self.values
        return tuple(
            [value for bit, value in enumerate(self.values) if mask >> bit & 1]
            for mask in range(2 ** len(self.values))
        )


class Questionnaire:
    """The questions that `copier copy` asks and that have a choice of answers."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self.configuration = configuration
        self.questions = tuple(
            question(name, row)
            for name, row in configuration.items()
            if is_chosen(row) and not self.names_in(row.get("when", True)) & OF_UPDATES
        )
        self.positions = {each.name: index for index, each in enumerate(self.questions)}

    def resolve(self, chosen: Mapping[str, Any]) -> Answers:
        """The answer to each question: the chosen one, the default, or that of an unasked one."""
        answers: dict[str, Any] = {}
        for each in self.questions:
            default = self.value_of(each.default, answers)
            asked = self.value_of(each.when, answers)
            answers[each.name] = chosen.get(each.name, default) if asked else default
        return tuple(each.choices.index(answers[each.name]) for each in self.questions)

    def data(self, answers: Answers) -> dict[str, Any]:
        """The answers to the questions that are asked, as values for Copier."""
        values = self.values_of(answers)
        return {
            each.name: values[each.name]
            for each in self.questions
            if self.value_of(each.when, values)
        }

    def values_of(self, answers: Answers) -> dict[str, Any]:
        pairs = zip(self.questions, answers, strict=True)
        return {each.name: each.choices[index] for each, index in pairs}

    def value_of(self, expression: Any, answers: Mapping[str, Any]) -> Any:
        """The value of a default or a condition of copier.yml with these answers."""
        if not isinstance(expression, str):
            return expression
        context = {
            name: answers[name]
            if name in self.positions
            else self.value_of(self.configuration[name]["default"], answers)
            for name in direct_names_in(expression)
        }
        return parsed(compiled(expression).render(context))

    def names_in(self, expression: Any) -> frozenset[str]:
        """The names that an expression needs, also by way of derived answers."""
        names = direct_names_in(expression)
        for name in names - OF_UPDATES:
            row = self.configuration.get(name)
            if isinstance(row, dict) and row.get("when") is False:
                names = names | self.names_in(row["default"])
        return names

    def table(self, expression: Any) -> tuple[list[int], dict[str, Any]]:
        """The value of an expression for each combination of the answers that it needs."""
        needed = sorted(self.positions[n] for n in self.names_in(expression) if n in self.positions)
        cells = {}
        for indexes in product(*(range(len(self.questions[each].choices)) for each in needed)):
            answers = {
                self.questions[position].name: self.questions[position].choices[index]
                for position, index in zip(needed, indexes, strict=True)
            }
            cells[key(indexes)] = self.value_of(expression, answers)
        return needed, cells


def key(indexes: Sequence[int]) -> str:
    """The indexes as a word, one character each."""
    return "".join("0123456789abcdefghijklmnopqrstuvwxyz"[index] for index in indexes)


def is_chosen(row: Any) -> bool:
    """Whether a row of copier.yml is a question with a choice of answers."""
    if not isinstance(row, dict) or row.get("when") is False or row.get("ask") is False:
        return False
    return "choices" in row or row.get("type") == "bool"


def question(name: str, row: Mapping[str, Any]) -> Question:
    title, _, text = row["help"].partition("\n")
    choices = row.get("choices", {"No": False, "Yes": True})
    return Question(
        name=name,
        title=title,
        help=" ".join(text.split()),
        labels=tuple(choices),
        values=tuple(choices.values()),
        several=row.get("multiselect", False),
        default=row["default"],
        when=row.get("when", True),
    )


def direct_names_in(expression: Any) -> frozenset[str]:
    return names_in_text(expression) if isinstance(expression, str) else frozenset()


@cache
def names_in_text(expression: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(JINJA.parse(expression)))


@cache
def compiled(expression: str) -> Template:
    return JINJA.from_string(expression)


@cache
def parsed(text: str) -> Any:
    return yaml.safe_load(text)
