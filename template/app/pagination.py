"""Pages by keyset: as fast and as stable on the thousandth page as on the first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Integer, Select, bindparam, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import DomainError

T = TypeVar("T")
CursorAdapter: TypeAlias = TypeAdapter[tuple[str, Any, UUID]]


class InvalidCursor(DomainError):
    status = 422
    detail = "The cursor is not one that this list returned for the same sort."


class PageParams(BaseModel):
    """Query parameters of a list; a subclass adds `sort`, one of its columns, `-` for falling."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None, max_length=1000, description="The `next_cursor` of the page before."
    )
    sort: str


class PageRead(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: str | None


async def fetch_page(
    session: AsyncSession,
    statement: Select[T],
    model: type[T],
    params: PageParams,
    **values: Any,
) -> Page[T]:
    """The page of `statement` after the cursor, ordered by `params.sort` and then by `id`.

    `statement`, which is best built once, selects `model`, whose sort columns are never null;
    `values` are those of the statement's own parameters. Raises `InvalidCursor` for a cursor that
    is damaged or belongs to another sort.
    """
    name = params.sort.removeprefix("-")
    entity: Any = model
    cursors = _cursor_adapter(getattr(entity, name).type.python_type)
    if params.cursor is not None:
        values["last_value"], values["last_id"] = _decode(cursors, params.cursor, params.sort)
    # One row more than asked tells whether there is a next page.
    values["rows"] = params.limit + 1
    page: Select[T] = _page_of(statement, entity, params.sort, is_first=params.cursor is None)
    rows = (await session.scalars(page, values)).all()
    items = rows[: params.limit]
    if len(rows) == len(items):
        return Page(items, None)
    last: Any = items[-1]
    content = cursors.dump_json((params.sort, getattr(last, name), last.id))
    return Page(items, urlsafe_b64encode(content).decode("ascii"))


@lru_cache(maxsize=200)
def _page_of(statement: Select[T], model: Any, sort: str, *, is_first: bool) -> Select[T]:
    """Built once for each statement and sort, since that takes as long as running it."""
    key, tie = getattr(model, sort.removeprefix("-")), model.id
    descending = sort.startswith("-")
    if not is_first:
        value = bindparam("last_value", type_=key.type)
        last_id = bindparam("last_id", type_=tie.type)
        # The first condition follows from the second, and is the one that an index can serve.
        if descending:
            statement = statement.where(key <= value, or_(key < value, tie < last_id))
        else:
            statement = statement.where(key >= value, or_(key > value, tie > last_id))
    order = (key.desc(), tie.desc()) if descending else (key, tie)
    return statement.order_by(*order).limit(bindparam("rows", type_=Integer))


@cache
def _cursor_adapter(kind: Any) -> CursorAdapter:
    """What a cursor holds: the sort it was made for, and the last row's sort value and id."""
    content: Any = tuple[str, kind, UUID]
    return TypeAdapter(content, config=ConfigDict(strict=True))


def _decode(cursors: CursorAdapter, cursor: str, sort: str) -> tuple[Any, UUID]:
    try:
        made_for, value, last_id = cursors.validate_json(urlsafe_b64decode(cursor))
    except ValueError as error:  # of base64, of JSON or of a type
        raise InvalidCursor from error
    if made_for != sort:
        raise InvalidCursor
    return value, last_id
