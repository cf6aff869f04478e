"""Error responses, as `application/problem+json` (RFC 9457)."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import (
    RequestValidationError,
    ResponseValidationError,
    ValidationException,
    WebSocketRequestValidationError,
)
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticSerializationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from app.core.database_errors import (
    ErrorKind,
    cause_of,
    classify,
    rejected_statement,
    violated_constraint,
    violated_field,
)
from app.core.logs import current_route, one_line, shorten
from app.core.schemas import PATTERN_MESSAGES

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# RFC 9110 renamed these statuses; Python uses the new names from 3.13 on.
RENAMED = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}

# Limits of `errors` in a response: entries, parts of a location, characters of a part, and
# characters of a message.
MAX_ERRORS = 100
MAX_PARTS = 20
MAX_NAME = 100
MAX_FIELD_MESSAGE = 500

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


EXAMPLE: JsonValue = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "The request is invalid; see `errors`.",
    "code": "invalid_request",
    "errors": [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}],
    "more_errors": 0,
}


class FieldProblem(BaseModel):
    loc: list[str | int] = Field(description="`body`, `query`, `path` or `header`, then the field.")
    msg: str = Field(description="What is wrong with the field, for people.")
    type: str = Field(description="What is wrong with the field, for programs.")


class Problem(BaseModel):
    """An error, as defined by RFC 9457: https://www.rfc-editor.org/rfc/rfc9457"""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    type: str = "about:blank"
    title: str = Field(description="The reason phrase of the status.")
    status: int
    detail: str = Field(description="What went wrong, for people.")
    code: str = Field(description="What went wrong, for programs.")
    errors: list[FieldProblem] = Field(default=[], description="The first invalid fields.")
    more_errors: int = Field(default=0, description="The number of further errors.")


class DomainError(Exception):
    """The base of errors that become responses: each class has a status, a detail and a code.

    The code is the class name in snake case: `ProjectNotFound` has `project_not_found`. Clients
    depend on codes: when you rename a class, declare its old code. The argument of an exception is
    a reason, which clients do not see; it is logged if the status is 500 or more.
    """

    status: ClassVar[int]
    detail: ClassVar[str]
    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if "code" not in vars(cls):
            cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the response."""
        return {}


class NotFound(DomainError):
    status = 404
    detail = "Not found."


DATABASE_PROBLEMS = {
    ErrorKind.UNIQUE: (409, "This value is already taken."),
    ErrorKind.FOREIGN_KEY: (409, "A referenced resource does not exist, or this one is in use."),
    ErrorKind.CHECK: (422, "The value violates a constraint."),
    ErrorKind.NOT_NULL: (422, "A required value is missing."),
    ErrorKind.BAD_VALUE: (422, "The database cannot store this value."),
    ErrorKind.CONFLICT: (503, "The request conflicted with another one; retry."),
    ErrorKind.LOCKED: (503, "The resource is locked by another request; retry."),
    ErrorKind.TIMEOUT: (503, "The database took too long; retry."),
    ErrorKind.UNAVAILABLE: (503, "The database is unavailable; retry."),
    ErrorKind.UNREADABLE: (500, "A stored value cannot be read."),
}


def reason_phrase(status: int) -> str:
    """Return the phrase of RFC 9110, the same on every version of Python.

    A status without one has the phrase of its class: that of 499 is "Bad Request".
    """
    try:
        return RENAMED.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return HTTPStatus(status // 100 * 100).phrase


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        # ASCII: a field name may contain a lone surrogate, which UTF-8 cannot encode.
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def problem(
    status: int,
    detail: str,
    code: str,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
    more_errors: int = 0,
) -> Response:
    """Return an error response."""
    content = Problem(
        title=reason_phrase(status),
        status=status,
        detail=detail,
        code=code,
        errors=errors or [],
        more_errors=more_errors,
    )
    return ProblemResponse(content.model_dump(), status, headers)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of an endpoint or router for these statuses."""
    return {
        status: {"description": reason_phrase(status), "content": {MEDIA_TYPE: _content(status)}}
        for status in statuses
    }


def _content(status: int) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if status != 422:  # the example of the schema
        content["example"] = _general_problem(status).model_dump(exclude_defaults=True)
    return content


def _general_problem(status: int) -> Problem:
    """Return the problem for an error of which only the status is known."""
    phrase = reason_phrase(status)
    code = re.sub(r"\W+", "_", phrase.lower().replace("'", ""))
    return Problem(title=phrase, status=status, detail=f"{phrase.capitalize()}.", code=code)


def problem_schemas() -> dict[str, Any]:
    """Return the OpenAPI components that `problems` refers to."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def add_error_handlers(app: FastAPI) -> None:
    """Turn every exception of `app` into an error response."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(WebSocketRequestValidationError, _invalid_request)
    app.add_exception_handler(ResponseValidationError, _invalid_response)
    app.add_exception_handler(PydanticSerializationError, _unserializable_response)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(SQLAlchemyError, _database_error)
    app.add_exception_handler(Exception, _unexpected_error)


def _log_cause(status: int, code: str, error: BaseException | None) -> None:
    """Log why a response has this status, except for those that need no explanation."""
    if status not in {409, 422} and status < 500:
        return
    if isinstance(error, SQLAlchemyError):
        logger.info("%s (%s): %s", code, cause_of(error), violated_constraint(error))
    else:
        logger.info("%s", code)


def _domain_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    if error.status >= 500 and error.args:
        logger.warning("%s: %s", error.code, one_line(error))
    else:
        _log_cause(error.status, error.code, error.__context__)
    return problem(error.status, error.detail, error.code, headers=error.headers)


def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationException)
    # Without the input: it may be a password, or a number that JSON cannot represent.
    found = error.errors()
    errors = [
        FieldProblem(loc=_location(e), msg=shorten(_message(e), MAX_FIELD_MESSAGE), type=e["type"])
        for e in found[:MAX_ERRORS]
    ]
    # Without names: clients choose those of unknown fields.
    reasons = [f"{each.type} in {each.loc[0] if each.loc else 'request'}" for each in errors]
    logger.info("invalid_request: %s", ", ".join(sorted(set(reasons))))
    detail = "The request is invalid; see `errors`."
    more = len(found) - len(errors)
    return problem(422, detail, "invalid_request", errors, more_errors=more)


def _location(error: Mapping[str, Any]) -> list[str | int]:
    # The name of an unknown field may be as long as the body, and JSON may be deeply nested.
    parts = [*error["loc"][:MAX_PARTS], *(["…"] if len(error["loc"]) > MAX_PARTS else [])]
    return [shorten(part, MAX_NAME) if isinstance(part, str) else part for part in parts]


def _message(error: Mapping[str, Any]) -> str:
    message: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "string_pattern_mismatch":
        return PATTERN_MESSAGES.get(error["ctx"]["pattern"], message)
    if error["type"] in {"too_short", "too_long"} and isinstance(error["input"], str):
        # Pydantic calls the characters of a `SecretStr` items.
        return message.replace(" item", " character")
    return message


def _invalid_response(_: Request, error: Exception) -> Response:
    assert isinstance(error, ResponseValidationError)
    first, *_others = found = error.errors()
    for each in found:
        each.pop("input", None)  # the log has the reason, but not the value
    if any(each["type"] != "finite_number" for each in found):
        raise error  # a bug: the response is 500, and the log has the traceback
    return _unreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def _unserializable_response(_: Request, error: Exception) -> Response:
    # The message is undocumented: `test_response_that_json_cannot_represent_is_unreadable` is the
    # contract.
    if not str(error).startswith("Error serializing to JSON:"):
        raise error  # a bug, such as an object of an unknown type
    return _unreadable(str(error))


def _unreadable(reason: str) -> Response:
    """Return the response for a value that JSON cannot represent, such as NaN."""
    logger.error("%s in %s: %s", ErrorKind.UNREADABLE, current_route(), reason)
    return problem(*DATABASE_PROBLEMS[ErrorKind.UNREADABLE], ErrorKind.UNREADABLE)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    general = _general_problem(error.status_code)
    detail = str(error.detail)
    # The default is the phrase in this version of Python.
    if detail == HTTPException(error.status_code).detail:
        detail = general.detail
    _log_cause(error.status_code, general.code, error.__context__)
    return problem(error.status_code, detail, general.code, headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods of every route of the path; Starlette returns those of the first."""
    # `matches` is undocumented: `test_allow_header_has_every_method_of_the_path` is the contract.
    return [
        method
        for method in METHODS
        if any(
            # HeadMiddleware responds to HEAD wherever there is a GET.
            route.matches({**request.scope, "method": method.replace("HEAD", "GET")})[0]
            is Match.FULL
            for route in request.app.routes
        )
    ]


def _database_error(_: Request, error: Exception) -> Response:
    if isinstance(error, StaleDataError):
        logger.info("stale: %s", one_line(error))
        return problem(409, "The resource was changed or deleted; retry.", "stale")
    kind = classify(error)
    if kind is None:
        raise error  # a bug: the response is 500, and the log has the traceback
    status, detail = DATABASE_PROBLEMS[kind]
    field = violated_field(error)
    errors = [FieldProblem(loc=["body", field], msg=detail, type=kind)] if field else []
    headers = {}
    cause = cause_of(error)
    if status == 503:
        logger.warning("%s (%s): %s", kind, cause, one_line(error))
        headers["Retry-After"] = "1"
    elif kind is ErrorKind.UNREADABLE:
        logger.error("%s (%s): %s", kind, cause, one_line(error))
    elif kind is ErrorKind.BAD_VALUE:
        logger.warning("%s (%s): %s", kind, cause, rejected_statement(error))
    else:
        logger.info("%s (%s): %s", kind, cause, violated_constraint(error))
    return problem(status, detail, kind, errors, headers)


def _unexpected_error(_: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=499)  # for the access log
    # The server logs the traceback: Starlette raises the exception again after this response.
    return internal_server_error()


def internal_server_error() -> Response:
    """Return the response to an unexpected error, without details of the error."""
    return problem(500, "Internal server error.", "internal_server_error")


def is_cancelled() -> bool:
    """Return whether the current task is being cancelled, as a shutdown does with requests."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
