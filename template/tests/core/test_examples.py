"""The examples of request bodies, which the documentation fills in."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from app.core.errors import Problem
from app.core.schemas import EXAMPLE, Input


def inputs(base: type[Input] = Input) -> Iterator[type[Input]]:
    """Yield the schemas of all request bodies."""
    for schema in base.__subclasses__():
        yield schema
        yield from inputs(schema)


def is_valid(field: FieldInfo, example: Any) -> bool:
    annotation: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter(annotation).validate_json(json.dumps(jsonable_encoder(example)))
    except ValidationError:
        return False
    return True


def test_examples_of_fields_are_valid(app: FastAPI) -> None:
    invalid = [
        f"{schema.__name__}.{name}: {example!r}"
        for schema in inputs()
        for name, field in schema.model_fields.items()
        if field.examples != EXAMPLE.examples  # which a field may narrow
        for example in field.examples or []
        if not is_valid(field, example)
    ]
    assert not invalid


def test_example_of_an_error_is_valid(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    [example] = schemas["Problem"]["examples"]
    assert Problem.model_validate(example).model_dump() == example
