"""What all schemas share: base classes, and types of strings, dates and query parameters."""

import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime
from math import isfinite
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from app.core.loaded_attributes import loaded_attributes

# More unknown fields than this are one error, not one each.
MAX_UNKNOWN_FIELDS = 20

MAX_STRING_LENGTH = 10_000


def _reject_numbers(value: object) -> object:
    # Pydantic also accepts seconds since 1970, which the OpenAPI document does not mention.
    is_date = isinstance(value, str) and value[4:5] == "-"
    if not is_date and isinstance(value, int | float | str):
        raise ValueError("must be an ISO 8601 datetime, such as 2030-01-31T12:00:00Z")
    return value


def _read_date(value: object) -> object:
    # Pydantic also accepts a datetime at midnight, and seconds since 1970.
    if not isinstance(value, int | float | str):
        return value
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value), re.ASCII):
        with suppress(ValueError):  # such as the 30th of February
            return date.fromisoformat(str(value))
    raise ValueError("must be an ISO 8601 date, such as 2030-01-31")


def _convert_to_utc(value: datetime) -> datetime:
    # Years that every database can store, in any time zone.
    if not datetime(1970, 1, 1, tzinfo=UTC) <= value < datetime(9999, 1, 1, tzinfo=UTC):
        raise ValueError("must be between 1970 and 9998")
    return value.astimezone(UTC)


def _check_json(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        for part in (*value, *value.values()):
            _check_json(part)
    elif isinstance(value, list):
        for part in value:
            _check_json(part)
    elif isinstance(value, str):
        if len(value) > MAX_STRING_LENGTH:
            raise ValueError(f"must have at most {MAX_STRING_LENGTH} characters in a string")
        if re.search(r"[\ud800-\udfff]", value):
            raise ValueError("must not contain lone surrogates")
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("must not contain NaN or infinity")
    return value


# The error messages of patterns: Pydantic's own message shows the regular expression.
PATTERN_MESSAGES: dict[str, str] = {}


def pattern(expression: str, message: str) -> str:
    """Return `expression` as the `pattern` of a field; a request that violates it gets `message`."""
    PATTERN_MESSAGES[expression] = message
    return expression


SINGLE_LINE = pattern(r"^[^\x00-\x1f\x7f]*$", "must be a single line without control characters")
# Not every database can store NUL characters.
NO_NUL = pattern(r"^[^\x00]*$", "must not contain NUL")

# Without an example, Swagger UI fills in random characters that match the pattern.
EXAMPLE = Field(examples=["Example"])

SingleLineStr = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, pattern=SINGLE_LINE), EXAMPLE
]
Text = Annotated[str, StringConstraints(pattern=NO_NUL), EXAMPLE]
UtcDatetime = Annotated[
    AwareDatetime,
    BeforeValidator(_reject_numbers),
    AfterValidator(_convert_to_utc),
    Field(description="Between 1970 and 9998."),
]
IsoDate = Annotated[date, BeforeValidator(_read_date)]
# With the limits of `Input`, which Pydantic does not apply to a `JsonValue` in some schemas that
# have a `model_validator`.
StorableJson = Annotated[JsonValue, AfterValidator(_check_json)]


def _read_json(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"true|false|-?(0|[1-9][0-9]{0,18})", value):
        return json.loads(value)
    return value


# An integer or a boolean in a query, which is text. Otherwise, Pydantic also accepts 1_000 and "on":
# declare it as `Annotated[bool, Field(strict=True), QUERY_VALUE]`.
QUERY_VALUE = BeforeValidator(_read_json)


class NoExtraFields(BaseModel):
    """The base of query parameters and request bodies: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def limit_unknown_fields(cls, data: Any) -> Any:
        """Reject too many unknown fields with one error: 100,000 errors take a second."""
        limit = len(cls.model_fields) + MAX_UNKNOWN_FIELDS
        forbidden = cls.model_config.get("extra") == "forbid"
        if forbidden and isinstance(data, dict) and len(data) > limit:
            raise ValueError("too many unknown fields")
        return data


class Input(NoExtraFields):
    """The base of request bodies."""

    # With a maximum length, Pydantic also rejects lone surrogates. This is undocumented:
    # `test_lone_surrogate_is_rejected` is the contract.
    model_config = ConfigDict(str_max_length=MAX_STRING_LENGTH, allow_inf_nan=False)


class Output(BaseModel):
    """The base of response bodies that are read from the attributes of a model."""

    model_config = ConfigDict(from_attributes=True)

    @model_validator(mode="before")
    @classmethod
    def read_loaded_attributes(cls, row: Any) -> Any:
        """Read the attributes of a row at once, if all are loaded."""
        return loaded_attributes(cls, row)


def unset() -> Any:
    """Return the default of a field in a PATCH body: it may be left out, but not be null.

    Read such a body with `model_dump(exclude_unset=True)`.
    """
    # A factory, because a default of None would be in the OpenAPI document.
    return Field(default_factory=lambda: None)
