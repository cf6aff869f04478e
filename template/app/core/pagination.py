"""Keyset pagination: as fast and as stable on the thousandth page as on the first."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import ColumnElement, Select, and_, inspect, literal, or_

from app.core.errors import DomainError
from app.core.schemas import QUERY_VALUE, NoExtraFields
from app.core.sessions import Reader

T = TypeVar("T")
Sort: TypeAlias = Annotated[T, Field(description="A leading `-` means descending.")]
CursorAdapter: TypeAlias = TypeAdapter[tuple[Any, ...]]


class InvalidCursor(DomainError):
    status = 422
    detail = "The cursor is invalid; use the `next_cursor` of a response with the same `sort`."


class PageParams(NoExtraFields):
    """Query parameters of a list.

    A subclass declares which columns `sort` accepts, as `sort: Sort[Literal["name", "-name"]]`.
    """

    limit: Annotated[int, Field(ge=1, le=100, strict=True), QUERY_VALUE] = Field(
        default=20, description="The maximum number of items."
    )
    cursor: str | None = Field(
        default=None, max_length=1000, description="The `next_cursor` of the previous page."
    )
    sort: str


class PageRead(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="The `cursor` of the next page; null on the last.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return `ProjectPage` for `PageRead[ProjectRead]`."""
        names = [each.__name__.removesuffix("Read") for each in params if isinstance(each, type)]
        if len(names) < len(params):  # a union has no name
            return super().model_parametrized_name(params)
        return "".join(names) + cls.__name__.removesuffix("Read")


def name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """Name the schemas of pages in an OpenAPI document `ProjectPage`, for generated clients.

    Pydantic uses this name of the class as the title of its schema, but names the schema
    `PageRead_ProjectRead_`.
    """
    schemas = document["components"]["schemas"]
    titles = [schema.get("title", "") for schema in schemas.values()]
    text = json.dumps(document)
    for name, title in zip(schemas, titles, strict=True):
        if "PageRead_" in name and title.isidentifier() and titles.count(title) == 1:
            text = text.replace(f'/{name}"', f'/{title}"').replace(f'"{name}":', f'"{title}":')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: str | None


async def fetch_page(
    session: Reader, statement: Select[T], model: type[T], params: PageParams
) -> Page[T]:
    """Return the page of `statement` after the cursor, ordered by `params.sort` and then by key.

    `statement` selects `model`, which may have any primary key. Raises `InvalidCursor` for a cursor
    that is damaged or belongs to another sort, and `TypeError` for a sort column that is nullable.
    """
    entity: Any = model
    columns, order, cursors = _order(entity, params.sort)
    if params.cursor is not None:
        values = _decode(cursors, params.cursor, params.sort)
        statement = statement.where(_after(columns, values, params.sort.startswith("-")))
    # One more row than requested shows whether there is a next page.
    statement = statement.order_by(*order).limit(params.limit + 1)
    rows = (await session.scalars(statement)).all()
    items = rows[: params.limit]
    if len(rows) == len(items):
        return Page(items, None)
    content = (params.sort, *(getattr(items[-1], column.key) for column in columns))
    return Page(items, urlsafe_b64encode(cursors.dump_json(content)).decode("ascii"))


@cache
def _order(model: Any, sort: str) -> tuple[list[Any], list[Any], CursorAdapter]:
    """Return the sort column and the key of a model, in their order, and the codec of cursors."""
    mapper = inspect(model)
    column = getattr(model, sort.removeprefix("-"))
    if getattr(column, "nullable", False):
        raise TypeError(f"A list sorted by {column} would lose the rows where it is NULL.")
    key = [getattr(model, mapper.get_property_by_column(part).key) for part in mapper.primary_key]
    columns = [column, *key]
    order = [each.desc() for each in columns] if sort.startswith("-") else columns
    content: Any = tuple[(str, *(each.type.python_type for each in columns))]  # type: ignore[misc]
    return columns, order, TypeAdapter(content, config=ConfigDict(strict=True))


def _after(columns: list[Any], values: list[Any], descending: bool) -> ColumnElement[bool]:
    """Return the condition that a row comes after these values.

    Each condition on the first column follows from the rest; an index can serve only that one.
    """
    (column, *further), (bare, *rest) = columns, values
    value = literal(bare, column.type)  # SQLAlchemy compares True and False only by `=`
    beyond: ColumnElement[bool] = column < value if descending else column > value
    if not further:
        return beyond
    from_here: ColumnElement[bool] = column <= value if descending else column >= value
    return and_(from_here, or_(beyond, _after(further, rest, descending)))


def _decode(cursors: CursorAdapter, cursor: str, sort: str) -> list[Any]:
    try:
        made_for, *values = cursors.validate_json(urlsafe_b64decode(cursor))
    except ValueError as error:  # invalid base64, JSON or type
        raise InvalidCursor from error
    if made_for != sort:
        raise InvalidCursor
    return values
