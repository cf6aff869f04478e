"""The examples of request bodies, which the documentation fills in."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import TypeAdapter

from app.core.errors import Problem
from app.core.schemas import EXAMPLE, Input


def inputs(base: type[Input] = Input) -> Iterator[type[Input]]:
    """Yield the schemas of all request bodies."""
    for schema in base.__subclasses__():
        yield schema
        yield from inputs(schema)


def test_examples_of_fields_are_valid(app: FastAPI) -> None:
    for schema in inputs():
        for field in schema.model_fields.values():
            if field.examples != EXAMPLE.examples:  # which a field may narrow
                annotation: Any = Annotated[field.annotation, field]
                for example in field.examples or []:
                    TypeAdapter(annotation).validate_python(example)


def test_example_of_an_error_is_valid(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    [example] = schemas["Problem"]["examples"]
    assert Problem.model_validate(example).model_dump() == example
