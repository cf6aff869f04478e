"""Count the updates of a row in its version: by flushes and by statements."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnDefault, Integer, Result, inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapped, Mapper, ORMExecuteState, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from app.core.listeners import listen

COUNTS_UPDATES = "counts_updates"


def version_column() -> Mapped[int]:
    """Return a column that counts the updates of its row by statements, also on its table."""
    counted = mapped_column(Integer, default=1, info={COUNTS_UPDATES: True})
    # Not for objects: a flush sets the version itself.
    counted.column.onupdate = ColumnDefault(counted.column + 1, for_update=True)
    return counted


def count_updates(execution: ORMExecuteState) -> Result[Any] | None:
    """Count the updates of a statement on a model, also in loaded objects.

    Raises `TypeError` for a statement that would update rows and not count it.
    """
    # In `from_statement()`, an UPDATE changes no loaded object: the column alone counts.
    if not execution.is_insert and (not execution.is_update or execution.is_from_statement):
        return None
    statement: Any = getattr(execution.statement, "element", execution.statement)
    try:
        entity = statement.entity_description["entity"]
    except KeyError:  # on a table
        return None
    mapper: Mapper[Any] = inspect(entity).mapper
    if mapper.version_id_col is None or COUNTS_UPDATES not in mapper.version_id_col.info:
        return None
    if execution.is_insert:
        _check_upsert(statement, mapper)
    elif isinstance(execution.parameters, list):
        return _update_rows(execution, mapper, execution.parameters)
    else:
        execution.statement = _counted(statement, mapper, entity, execution.parameters)
    return None


listen(Session, "do_orm_execute", count_updates)


def _check_upsert(statement: Any, mapper: Mapper[Any]) -> None:
    # Undocumented, as are the values below: `tests/core/test_versions.py` is the contract.
    upsert = getattr(statement, "_post_values_clause", None)
    values = getattr(upsert, "update_values_to_set", None) or getattr(upsert, "update", None)
    if values and not _has_version(values):
        name = mapper.class_.__name__
        raise TypeError(f"An upsert of {name} has to set version to {name}.version + 1.")


def _counted(statement: Any, mapper: Mapper[Any], entity: Any, parameters: Any) -> Any:
    if "version" not in mapper.local_table.columns:
        raise TypeError(
            f"update({mapper.class_.__name__}) cannot count the version, which is in the table of "
            "a parent class: change loaded objects instead."
        )
    values = getattr(statement, "_values", None) or ()
    if not _has_version([*values, *(parameters or ())]):
        # After `ordered_values()`, the column alone counts.
        with suppress(InvalidRequestError):
            return statement.values({entity.version: entity.version + 1})
    return statement


def _update_rows(
    execution: ORMExecuteState, mapper: Mapper[Any], rows: Sequence[Mapping[str, Any]]
) -> Result[Any]:
    if not all(map(_has_version, rows)):
        name = mapper.class_.__name__
        raise TypeError(
            f"update({name}) with a list needs the current `version` of each row. To update rows "
            f"of any version, execute update({name}).where(...) on `await session.connection()`."
        )
    result: Result[Any] = execution.invoke_statement()
    key = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    for row in rows:
        identity = mapper.identity_key_from_primary_key(tuple(row[name] for name in key))
        loaded = execution.session.identity_map.get(identity)
        if loaded is not None:
            set_committed_value(loaded, "version", row["version"] + 1)
    return result


def _has_version(keys: Iterable[Any]) -> bool:
    return any(getattr(key, "key", key) == "version" for key in keys)
