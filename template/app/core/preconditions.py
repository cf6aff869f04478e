"""Optimistic concurrency: responses have a row's version as `ETag`, requests as `If-Match`."""

import re
from typing import Annotated, Protocol

from fastapi import Depends, Header, Response

from app.core.errors import DomainError
from app.core.schemas import pattern

# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
TAGS = pattern(rf"^(?:\*|{TAG}(?:\s*,\s*{TAG})*)$", 'must be "*", or entity tags in double quotes')


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


class PreconditionFailed(DomainError):
    status = 412
    detail = "The resource has changed since you read it."


def etag_of(row: Versioned) -> str:
    """Return the entity tag of a row's version."""
    return f'"{row.version}"'


def set_etag(response: Response, row: Versioned) -> None:
    """Set the `ETag` header of a response that contains this row, and no other rows."""
    response.headers["ETag"] = etag_of(row)


class Precondition:
    """The entity tags in `If-Match`; None matches any version."""

    def __init__(self, tags: list[str] | None) -> None:
        self.tags = tags

    def check(self, row: Versioned) -> None:
        """Raise `PreconditionFailed` if the row has another version.

        Lock the row first: otherwise it could change after the check.
        """
        if self.tags is not None and etag_of(row) not in self.tags:
            raise PreconditionFailed


async def get_precondition(
    if_match: Annotated[
        str,
        Header(
            pattern=TAGS,
            max_length=1000,
            description="Change the resource only if it has this `ETag`, which is its `version` in "
            "double quotes; otherwise fail with 412.",
        ),
    ] = "*",
) -> Precondition:
    """Parse the `If-Match` header."""
    return Precondition(None if if_match == "*" else re.findall(TAG, if_match))


IfMatch = Annotated[Precondition, Depends(get_precondition)]
