"""Values that the schemas of an OpenAPI document accept, and how they are stored."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

# Characters that are white space, combining, zero-width, right-to-left, four bytes long, of another
# length in the other case, or special in SQL or JSON.
SPECIAL = (
    " \t\n\r\u0085\u00a0\u2003\u2028\u3000\u0301\u0e33\u200b\u200d\u200f\u202e\u2060\ufdfa\ufeff"
    "\ufffd\uffff\U0001f468\U0001f3fd\U000e0041\U0010ffff\u00df\u017f\u0131\u0130\u03a3\u03c2\u05d0\u06390aA%_\\'\"`$:?{}<>&;-"
)
CHARACTERS = st.sampled_from(SPECIAL) | st.characters(codec="utf-8")
OFFSETS = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
# One day within the bounds, so that no offset leads out of them.
DATETIMES = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30), timezones=OFFSETS)


def accepted(schema: Any, document: Any) -> st.SearchStrategy[Any]:
    """Values that a JSON schema accepts."""
    match schema:
        case {"$ref": name}:
            return accepted(document["components"]["schemas"][name.split("/")[-1]], document)
        case {"anyOf": schemas}:
            return st.one_of([accepted(each, document) for each in schemas])
        case {"enum": members}:
            return st.sampled_from(members)
        case {"type": "null"}:
            return st.none()
        case {"type": "integer", "minimum": least, "maximum": most}:
            return st.integers(int(least), int(most))
        case {"type": "number", "minimum": least, "maximum": most}:
            return st.floats(least, most)
        case {"type": "string", "format": "date-time"}:
            return DATETIMES.map(datetime.isoformat)
        case {"type": "string", "format": "email"}:
            return st.emails(domains=st.just("Example.org"))
        case {"type": "string", "format": "uuid"}:
            return st.uuids().map(str)
        case {"type": "string", "pattern": pattern, "maxLength": most}:
            texts = st.text(CHARACTERS, min_size=schema.get("minLength", 0), max_size=most)
            texts |= CHARACTERS.map(lambda character: character * most)
            return texts.filter(re.compile(pattern).search)
        case {"type": "array", "items": items, "minItems": least}:
            return st.lists(accepted(items, document), min_size=least, max_size=least + 2)
        case {"type": "object", "properties": properties}:
            fields = {name: accepted(each, document) for name, each in properties.items()}
            required = {name: fields.pop(name) for name in schema.get("required", [])}
            return st.fixed_dictionaries(required, optional=fields)
    raise AssertionError(f"no strategy for {schema}")


def stored(schema: Any, value: Any) -> Any:
    """The stored form of a value: single lines are stripped, e-mail addresses are in lower case."""
    if not isinstance(value, str):
        return value
    if "date-time" in str(schema):
        return datetime.fromisoformat(value)
    if "email" in str(schema):
        return value.lower()
    return value.strip() if r"\x1f" in schema.get("pattern", "") else value


def read(schema: Any, value: Any) -> Any:
    """A value in a response, as `stored` returns it."""
    is_datetime = isinstance(value, str) and "date-time" in str(schema)
    return datetime.fromisoformat(value) if is_datetime else value
