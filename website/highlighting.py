"""Syntax highlighting by Pygments, in a form that is shorter than HTML.

A line is its text and its tokens: `k4,1,n6` means four characters of a keyword, one without a
class, and six of a number. The letters are the classes in explorer.css.
"""

from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Token
from pygments.util import ClassNotFound

Line = tuple[str, str]

# Types of tokens that include their subtypes; the first match counts.
LETTERS = {
    Token.Comment: "c",
    Token.Literal.String.Doc: "c",
    Token.Literal.String: "s",
    Token.Literal.Number: "n",
    Token.Keyword: "k",
    Token.Operator.Word: "k",
    Token.Name.Function: "f",
    Token.Name.Class: "f",
    Token.Name.Decorator: "d",
    Token.Name.Builtin: "b",
    Token.Name.Tag: "a",
    Token.Name.Attribute: "a",
    Token.Name.Variable: "a",
    Token.Generic.Heading: "h",
    Token.Generic.Subheading: "h",
    Token.Generic.Strong: "h",
}
# Files whose names do not tell Pygments their language.
LANGUAGES = {".env": "bash", ".env.example": "bash", ".py.mako": "mako", ".rules.yml": "yaml"}


@cache
def lexer_of(path: str) -> Lexer:
    options = {"stripnl": False, "ensurenl": False}
    name = path.rpartition("/")[2]
    for ending, language in LANGUAGES.items():
        if name.endswith(ending):
            return get_lexer_by_name(language, **options)
    try:
        return get_lexer_for_filename(name, **options)
    except ClassNotFound:
        return get_lexer_by_name("text", **options)


@cache
def letter_of(kind: object) -> str:
    return next((letter for parent, letter in LETTERS.items() if kind in parent), "")


def lines(path: str, text: str) -> list[Line]:
    """The lines of a file, each with its tokens."""
    found: list[Line] = []
    line: list[str] = []
    tokens: list[tuple[str, int]] = []
    for kind, value in lexer_of(path).get_tokens(text):
        letter = letter_of(kind)
        for index, part in enumerate(value.split("\n")):
            if index:
                found.append(("".join(line), encoded(tokens)))
                line, tokens = [], []
            if part:
                line.append(part)
                tokens.append((letter, len(part)))
    if line:
        found.append(("".join(line), encoded(tokens)))
    return found


def encoded(tokens: list[tuple[str, int]]) -> str:
    """Tokens as text: neighbors of one class are joined, and the end without one is left out."""
    joined: list[tuple[str, int]] = []
    for letter, length in tokens:
        if joined and joined[-1][0] == letter:
            length += joined.pop()[1]
        joined.append((letter, length))
    if joined and not joined[-1][0]:
        joined.pop()
    return ",".join(f"{letter}{length}" for letter, length in joined)
