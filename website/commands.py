"""The parts of the command that copies a service, which explorer/command.js puts together."""

from shlex import quote
from typing import Any

from website.questions import Question

# The answers that the command does not give are the defaults.
PROGRAM = "uvx copier copy --defaults"


def option(question: Question, answer: int) -> str:
    """The option that gives an answer."""
    return f"-d {quote(f'{question.name}={text_of(question.choices[answer])}')}"


def text_of(value: Any) -> str:
    """An answer as Copier reads it on the command line."""
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
