"""Keyset pagination: as fast and as stable on the thousandth page as on the first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Select, or_

from app.core.errors import DomainError
from app.core.sessions import Reader

T = TypeVar("T")
Sort: TypeAlias = Annotated[T, Field(description="A leading `-` means descending.")]
CursorAdapter: TypeAlias = TypeAdapter[tuple[str, Any, UUID]]


class InvalidCursor(DomainError):
    status = 422
    detail = "The cursor is invalid; use the `next_cursor` of a response with the same `sort`."


class PageParams(BaseModel):
    """Query parameters of a list.

    A subclass declares which columns `sort` accepts, as `sort: Sort[Literal["name", "-name"]]`.
    """

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=100, description="The maximum number of items.")
    cursor: str | None = Field(
        default=None, max_length=1000, description="The `next_cursor` of the previous page."
    )
    sort: str


class PageRead(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last.")


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: str | None


async def fetch_page(
    session: Reader, statement: Select[T], model: type[T], params: PageParams
) -> Page[T]:
    """Return the page of `statement` after the cursor, ordered by `params.sort` and then by `id`.

    `statement` selects `model`, whose sort columns must not be nullable. Raises `InvalidCursor`
    for a cursor that is damaged or belongs to another sort.
    """
    entity: Any = model
    column, tie_breaker = getattr(entity, params.sort.removeprefix("-")), entity.id
    descending = params.sort.startswith("-")
    cursors = _cursor_adapter(column.type.python_type)
    if params.cursor is not None:
        value, last_id = _decode(cursors, params.cursor, params.sort)
        # The first condition follows from the second; an index can serve only the first.
        if descending:
            statement = statement.where(column <= value, or_(column < value, tie_breaker < last_id))
        else:
            statement = statement.where(column >= value, or_(column > value, tie_breaker > last_id))
    order = (column.desc(), tie_breaker.desc()) if descending else (column, tie_breaker)
    # One more row than requested shows whether there is a next page.
    statement = statement.order_by(*order).limit(params.limit + 1)
    rows = (await session.scalars(statement)).all()
    items = rows[: params.limit]
    if len(rows) == len(items):
        return Page(items, None)
    last: Any = items[-1]
    content = cursors.dump_json((params.sort, getattr(last, column.key), last.id))
    return Page(items, urlsafe_b64encode(content).decode("ascii"))


@cache
def _cursor_adapter(kind: Any) -> CursorAdapter:
    """Return the codec of cursors: the sort, and the sort value and the ID of the last row."""
    content: Any = tuple[str, kind, UUID]
    return TypeAdapter(content, config=ConfigDict(strict=True))


def _decode(cursors: CursorAdapter, cursor: str, sort: str) -> tuple[Any, UUID]:
    try:
        made_for, value, last_id = cursors.validate_json(urlsafe_b64decode(cursor))
    except ValueError as error:  # invalid base64, JSON or type
        raise InvalidCursor from error
    if made_for != sort:
        raise InvalidCursor
    return value, last_id
