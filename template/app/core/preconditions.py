"""Conditional requests: responses have a row's version as `ETag`, to which requests refer.

With `If-Match`, a row is changed only if it still has this version. `ConditionalGetMiddleware`
responds with 304 to a GET whose `If-None-Match` has the `ETag` of the response.
"""

import re
from hashlib import blake2s
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Depends, Header, Response

from app.core.errors import DomainError, problems
from app.core.schemas import pattern

# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
TAGS = pattern(rf"^(?:\*|{TAG}(?:\s*,\s*{TAG})*)$", 'must be "*", or entity tags in double quotes')
# A list may have empty elements. The quantifiers are possessive: no input takes long.
TAG_LIST = re.compile(rf"[ \t]*+\*?+[ \t]*+|(?:[ \t]*+(?:{TAG})?+[ \t]*+(?:,|$))*+")
TAG_OR_ANY = re.compile(rf"{TAG}|\*")
# Proxies that compress a response make its tag weak, which changes nothing about its version.
TAG_OF_VERSION = re.compile(r'(?:W/)?"(\d+)-[0-9a-f]{8}"')

IF_NONE_MATCH = "Respond with 304, without a body, if the response still has this `ETag`."
CONDITIONAL_GET: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": description,
        }
        for name, description in (
            ("If-None-Match", IF_NONE_MATCH),
            ("If-Match", "Respond with 412 if the response has another `ETag`."),
        )
    ],
    "responses": {
        "200": {"headers": {"ETag": {"schema": {"type": "string"}}}},
        "304": {"description": "Not Modified"},
        "412": problems(412)[412],
    },
}
"""The `openapi_extra` of a GET endpoint that calls `set_etag`."""


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


class PreconditionFailed(DomainError):
    status = 412
    detail = "The resource has changed since you read it."


class Excluded(PreconditionFailed):
    code = "precondition_failed"
    detail = "The resource has an `ETag` that `If-None-Match` excludes."


def digest_of_code(folder: Path) -> str:
    """Return a digest of the modules in a folder."""
    digest = blake2s(digest_size=4)
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


# A part of each tag: a release may change a response, such as add a field, but no versions.
RELEASE = digest_of_code(Path(__file__).parents[1])


def etag_of(row: Versioned) -> str:
    """Return the entity tag of a row's version in this release."""
    return f'"{row.version}-{RELEASE}"'


def set_etag(response: Response, row: Versioned) -> None:
    """Set the `ETag` header of a response that changes only with the version of this row.

    It contains no other rows, nothing that depends on the time, and the same for every user.
    """
    response.headers["ETag"] = etag_of(row)


def is_changed(etag: str, if_match: list[str]) -> bool:
    """Return whether `If-Match` does not list this tag, or its version in double quotes."""
    versions = {TAG_OF_VERSION.sub(r'"\1"', tag) for tag in if_match}
    return "*" not in versions and TAG_OF_VERSION.sub(r'"\1"', etag) not in versions


def is_unchanged(etag: str, if_none_match: list[str]) -> bool:
    """Return whether `If-None-Match` lists this tag, also as a weak tag."""
    tags = {tag.removeprefix("W/") for tag in if_none_match}
    return "*" in tags or etag.removeprefix("W/") in tags


def tags_of(header: str) -> list[str]:
    """Return the tags in a header, or `*`; none if it is malformed."""
    return TAG_OR_ANY.findall(header) if TAG_LIST.fullmatch(header) else []


class Precondition:
    """The entity tags in `If-Match`, or None for any version, and those in `If-None-Match`."""

    def __init__(self, tags: list[str] | None, excluded: list[str] | None = None) -> None:
        self.tags = tags
        self.excluded = excluded or []

    def check(self, row: Versioned) -> None:
        """Raise `PreconditionFailed` if the row has another version.

        Lock the row first: otherwise it could change after the check.
        """
        if self.tags is not None and is_changed(etag_of(row), self.tags):
            raise PreconditionFailed
        if is_unchanged(etag_of(row), self.excluded):
            raise Excluded


async def get_precondition(
    if_match: Annotated[
        str,
        Header(
            pattern=TAGS,
            max_length=1000,
            description="Change the resource only if it has this `ETag`, or this `version` in double "
            "quotes; otherwise fail with 412.",
        ),
    ] = "*",
    if_none_match: Annotated[
        str, Header(pattern=TAGS, max_length=1000, include_in_schema=False)
    ] = "",
) -> Precondition:
    """Parse the headers `If-Match` and `If-None-Match`."""
    tags = None if if_match == "*" else re.findall(TAG, if_match)
    return Precondition(tags, tags_of(if_none_match))


IfMatch = Annotated[Precondition, Depends(get_precondition)]
