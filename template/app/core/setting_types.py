"""Types of settings."""

import json
from typing import Annotated, TypeVar

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

T = TypeVar("T")


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('write a, b or the JSON list ["a", "b"]') from None


# A list that the environment writes as `a, b` or as the JSON list `["a", "b"]`.
CommaSeparated = Annotated[list[T], NoDecode, BeforeValidator(_split)]
