"""Every error that callers see, as RFC 9457 `application/problem+json`."""

import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.database_errors import Kind, classify, violated_field

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class FieldProblem(BaseModel):
    loc: list[str | int] = Field(description="Where: `body`, `query` or `path`, then the field.")
    msg: str
    type: str


class Problem(BaseModel):
    """https://www.rfc-editor.org/rfc/rfc9457"""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What went wrong, for people.")
    code: str = Field(description="What went wrong, for programs.")
    errors: list[FieldProblem] = Field(default=[], description="Which fields were refused.")


class DomainError(Exception):
    """Base of the errors that the domain raises: each has a status and says what went wrong."""

    status: ClassVar[int]
    detail: ClassVar[str]

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer."""
        return {}

    @property
    def code(self) -> str:
        """The class's name in snake case: `ProjectNotFound` is `project_not_found`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()


class NotFound(DomainError):
    status = 404
    detail = "There is no such thing."


DATABASE_PROBLEMS = {
    Kind.UNIQUE: (409, "This value is already taken."),
    Kind.FOREIGN_KEY: (409, "This refers to something that is not there."),
    Kind.CHECK: (422, "The database refuses this value."),
    Kind.NOT_NULL: (422, "A value is missing."),
    Kind.BAD_VALUE: (422, "The database cannot hold this value."),
    Kind.CONFLICT: (503, "Another request was faster: try again."),
    Kind.LOCKED: (503, "Another request is in the way: try again."),
    Kind.TIMEOUT: (503, "The database took too long."),
    Kind.UNAVAILABLE: (503, "The database is not available."),
}


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        # ASCII, because a field's name may hold half a surrogate pair, which UTF-8 cannot.
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def problem(
    status: int,
    detail: str,
    code: str,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that tells a caller what went wrong."""
    content = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=errors or [],
    )
    return ProblemResponse(content.model_dump(), status, headers)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` for an endpoint or router that may answer with these."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def problem_schemas() -> dict[str, Any]:
    """The OpenAPI components that `problems` refers to."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(SQLAlchemyError, _database_error)
    app.add_exception_handler(Exception, _unexpected_error)


def _domain_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem(error.status, error.detail, error.code, headers=error.headers)


def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without the input, which may be a password or a number that JSON cannot express.
    errors = [
        FieldProblem(loc=list(e["loc"]), msg=e["msg"], type=e["type"]) for e in error.errors()
    ]
    detail = "The request does not fit: `errors` says where."
    return problem(422, detail, "invalid_request", errors)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
    code = HTTPStatus(error.status_code).name.lower()
    return problem(error.status_code, str(error.detail), code, headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """Those of all routes of the path: Starlette names the methods of one."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _database_error(_: Request, error: Exception) -> Response:
    if isinstance(error, StaleDataError):
        return problem(409, "It was changed or deleted meanwhile.", "stale")
    kind = classify(error)
    if kind is None:
        raise error
    status, detail = DATABASE_PROBLEMS[kind]
    field = violated_field(error)
    errors = [FieldProblem(loc=["body", field], msg=detail, type=kind)] if field else []
    headers = {}
    if status == 503:
        logger.warning("%s: %s", kind, error)
        headers["Retry-After"] = "1"
    return problem(status, detail, kind.replace(" ", "_"), errors, headers)


def _unexpected_error(_: Request, __: Exception) -> Response:
    # The server logs the traceback: Starlette raises the error again after this answer.
    detail = "Something went wrong on our side."
    return problem(500, detail, "internal_server_error")
