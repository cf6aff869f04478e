"""Direct routes: routes that are matched once."""

from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor

from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of

matches: list[str] = []


class Recorder(StringConvertor):
    def convert(self, value: str) -> str:
        matches.append(value)
        return value


class Grouped(StringConvertor):
    regex = "(a|b)+"


register_url_convertor("recorded", Recorder())
register_url_convertor("grouped", Grouped())


def router_of(name: str, route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """Return a router whose route has the path of those of other routers."""
    router = APIRouter(route_class=route_class)

    @router.get("/numbers/{number:recorded}", name=name)
    async def name_router(number: str) -> str:
        return name

    return router


class OwnRoute(APIRoute):
    pass


async def call(settings: Settings, monkeypatch: pytest.MonkeyPatch, *routers: APIRouter) -> str:
    """Return the name of the router that responds, and count the matches of its route."""
    matches.clear()
    monkeypatch.setattr("app.factory.routers", routers)
    async with client_of(create_app(settings)) as client:
        name: str = (await client.get("/api/v1/numbers/1")).json()
    return name


async def test_route_is_matched_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await call(settings, monkeypatch, router_of("first"), router_of("second")) == "first"
    assert matches == ["1"]


async def test_path_of_a_route_is_found_by_its_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()

    @router.get("/numbers/{number}")
    async def get_number(request: Request, number: int) -> str:
        return str(request.url_for("get_number", number=number + 1))

    monkeypatch.setattr("app.factory.routers", [router])
    async with client_of(create_app(settings)) as client:
        assert (await client.get("/api/v1/numbers/1")).json().endswith("/api/v1/numbers/2")


async def test_route_of_a_class_of_its_own_keeps_its_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = router_of("own", OwnRoute)
    assert await call(settings, monkeypatch, own, router_of("second")) == "own"
    assert await call(settings, monkeypatch, router_of("first"), own) == "first"


async def test_pattern_of_a_parameter_may_have_groups(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.get("/first/{key:grouped}")(lambda key: ["first", key])
    router.get("/second/{key:grouped}")(lambda key: ["second", key])
    monkeypatch.setattr("app.factory.routers", [router])
    async with client_of(create_app(settings)) as client:
        assert (await client.get("/api/v1/first/ab")).json() == ["first", "ab"]
        assert (await client.get("/api/v1/second/ab")).json() == ["second", "ab"]


async def test_attribute_that_you_gave_a_route_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()

    @router.get("/cost")
    async def get_cost(request: Request) -> Any:
        return request.scope["route"].cost

    vars(router.routes[0])["cost"] = 3
    monkeypatch.setattr("app.factory.routers", [router])
    async with client_of(create_app(settings)) as client:
        assert (await client.get("/api/v1/cost")).json() == 3
