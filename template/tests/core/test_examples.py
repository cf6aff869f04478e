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


def test_example_of_an_error_has_its_status(app: FastAPI) -> None:
    document = app.openapi()
    [general] = document["components"]["schemas"]["Problem"]["examples"]
    assert Problem.model_validate(general).model_dump() == general
    wrong = [
        f"{status} of {method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
        if status[0] in "45" and status.isdigit()
        for content in response.get("content", {}).values()
        if Problem.model_validate(content.get("example", general)).status != int(status)
    ]
    assert wrong == [], "write `responses=problems(404, …)`, with `problems` of app.core.errors"
