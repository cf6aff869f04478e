"""Direct routes respond as the routes of routers that services could have."""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine
from runpy import run_path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Header, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message, Receive, Scope, Send

from tests.template.modules import ROOT

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("GET /other", {}),
    ("GET /other", {"headers": {"Permission": "yes"}}),
    ("GET /other/", {"headers": {"Permission": "yes"}}),
    ("POST /other", {}),
    ("PUT /other", {"json": {"a": 1}}),
    ("PUT /other", {"json": {"a": "one"}}),
    ("PUT /other", {"json": {"a": 1, "b": 2, "c": 3, "d": 4}}),
    ("DELETE /other", {}),
    ("POST /other/form", {"data": {"first": "1"}}),
    ("POST /other/form", {"data": {"first": "1", "second": "2"}}),
    ("POST /other/form", {"files": {"first": (None, "1234567890+")}}),
    ("GET /special", {}),
    ("GET /special", {"headers": {"Permission": "yes"}}),
    ("DELETE /special", {}),
    ("POST /special/other/form", {"data": {"first": "1"}}),
    ("POST /special/other/form", {"data": {"first": "1", "second": "2"}}),
    ("GET /special/added", {"headers": {"Permission": "yes"}}),
    ("GET /special/nothing/here", {}),
]


# Not imported, which would write bytecode into the template.
add_direct_routes = run_path(str(ROOT / "template/app/core/routing.py"))["add_direct_routes"]


async def check_permission(permission: Annotated[str, Header()] = "no") -> None:
    if permission != "yes":
        raise HTTPException(401)


async def get_language() -> str:
    return "en"


Language = Annotated[str, Depends(get_language)]


class MarkingRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def mark(request: Request) -> Response:
            response = await handle(request)
            response.headers["X-Marked"] = "yes"
            return response

        return mark


class MarkingRouter(APIRouter):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def mark(message: Message) -> None:
            headers = [*message.get("headers", []), (b"x-marked", b"yes")]
            await send({**message, "headers": headers})

        await super().handle(scope, receive, mark)


def with_routes(router: APIRouter) -> APIRouter:
    """Add routes of common kinds to a router."""

    @router.get("/{key}", summary="Get", deprecated=True, responses={404: {"description": "No"}})
    async def get(request: Request, key: str, language: Language) -> list[str]:
        """Return what the request has found."""
        return [key, language, str(request.url_for("get", key=key))]

    @router.post("/{key}", status_code=201, response_class=PlainTextResponse, tags=["posts"])
    async def post(key: str) -> str:
        return key

    @router.put("/{key}", max_body_size=25)
    async def put(key: str, body: dict[str, int]) -> dict[str, int]:
        return body

    @router.post("/{key}/form", form_limits={"max_part_size": 10})
    async def read_form(
        key: str, first: Annotated[str, Form()], second: Annotated[str, Form()] = ""
    ) -> str:
        return f"{key} {first} {second}"

    return router


def with_special_route(router: APIRouter) -> APIRouter:
    """Add a route that later ones overlap with."""

    @router.get("/special")
    async def special() -> str:
        return "special"

    return router


def nested() -> APIRouter:
    inner = with_special_route(APIRouter(tags=["inner"], dependencies=[Depends(check_permission)]))
    outer = APIRouter(tags=["outer"], default_response_class=PlainTextResponse)
    outer.include_router(inner, responses={418: {"description": "Teapot"}})
    return outer


def with_form_limits() -> APIRouter:
    return with_routes(APIRouter(prefix="/special", form_limits={"max_fields": 1}))


def streaming() -> APIRouter:
    router = APIRouter()

    @router.get("/special")
    async def stream() -> AsyncIterable[int]:
        yield True  # is 1 in the response

    return router


def with_mount() -> APIRouter:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("mounted")(scope, receive, send)

    router = APIRouter()
    router.mount("/special", mounted)
    return router


def with_websocket() -> APIRouter:
    router = APIRouter()
    router.websocket("/special")(get_language)
    return with_special_route(router)


ROUTERS: list[Callable[[], APIRouter]] = [
    lambda: with_special_route(APIRouter()),
    lambda: with_special_route(APIRouter(route_class=MarkingRoute)),
    lambda: with_special_route(MarkingRouter()),
    nested,
    streaming,
    with_form_limits,
    with_mount,
    with_websocket,
]


def app_with(router: APIRouter) -> FastAPI:
    app = FastAPI(dependencies=[Depends(get_language)])
    app.dependency_overrides[get_language] = lambda: "de"
    app.include_router(router, tags=["first"])
    second = with_routes(APIRouter(dependencies=[Depends(check_permission)]))
    app.include_router(second, tags=["second"], responses={410: {"description": "Gone"}})
    app.include_router(with_special_route(APIRouter(include_in_schema=False)))
    return app


@pytest.mark.parametrize("make_router", ROUTERS)
def test_direct_routes_respond_as_those_of_routers(make_router: Callable[[], APIRouter]) -> None:
    router = make_router()
    expected, direct = app_with(router), app_with(router)
    add_direct_routes(direct)
    assert direct.openapi() == expected.openapi()
    router.get("/special/added")(get_language)
    for request, options in REQUESTS:
        assert respond(direct, request, options) == respond(expected, request, options), request


def respond(app: FastAPI, request: str, options: dict[str, Any]) -> Any:
    async def send() -> Any:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
            return await client.request(*request.split(), **options)

    response = asyncio.run(send())
    return response.status_code, response.headers, response.text
