"""Match each route once: FastAPI matches the routes of an included router twice, one by one."""

import re
from copy import copy
from itertools import takewhile
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send


def add_direct_routes(app: FastAPI) -> None:
    """Put `DirectRoutes` before the routes of an application.

    They end at the first route or router whose copy would behave differently, such as a route of a
    class of its own. So the order of the routes stays.
    """
    copies: list[Route] = []
    for route in app.router.routes:
        if type(route) is Route:
            copies.append(route)
        elif _can_be_copied(route):
            copies += [
                _copy(original, context)
                for context in iter_route_contexts([route])
                if isinstance(original := context.original_route, APIRoute)
            ]
        else:
            break
    app.router.routes.insert(0, DirectRoutes([*takewhile(_has_no_own_group, copies)]))


class DirectRoutes(BaseRoute):
    """Copies of routes: one regular expression finds the route of a method and path.

    The routers respond to all other requests, such as those with another method.
    """

    def __init__(self, routes: list[Route]) -> None:
        self._routes = routes
        # The number of the only group that matches is that of the route.
        self._requests = re.compile("|".join(f"{_request_pattern(route)}()" for route in routes))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        found = self._requests.match(f"{scope['method']} {get_route_path(scope)}")
        if found is None or found.lastindex is None:
            return Match.NONE, {}
        route = self._routes[found.lastindex - 1]
        self.path_format = route.path_format  # for the telemetry of FastAPI, which reads it now
        match, child_scope = route.matches(scope)
        return match, {**child_scope, "route": route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)  # the routers have the same routes


def _has_no_own_group(route: Route) -> bool:
    # Groups that are not those of parameters would have other numbers.
    return route.path_regex.groups == len(route.param_convertors)


def _request_pattern(route: Route) -> str:
    methods = "|".join(map(re.escape, route.methods)) if route.methods else r"\S+"
    path = route.path_regex.pattern.removeprefix("^")
    for name in route.param_convertors:  # other routes may have the same names
        path = path.replace(f"(?P<{name}>", "(?:")
    return f"(?:{methods}) {path}"


def _can_be_copied(route: Any) -> bool:
    # An included router; undocumented: `tests/core/test_routing.py` is the contract.
    if hasattr(route, "original_router"):
        return (
            type(route.original_router) is APIRouter
            and not route.include_context.form_limits
            and all(map(_can_be_copied, route.original_router.routes))
        )
    # A WebSocket needs no copy: requests never match it.
    return type(route) is APIWebSocketRoute or (
        type(route) is APIRoute and route.stream_item_type is None
    )


def _copy(original: APIRoute, context: RouteContext) -> APIRoute:
    # A new route would analyze the parameters of its endpoint, which takes most of a startup.
    route = copy(original)
    for name, value in vars(original).items():
        setattr(route, name, getattr(context, name, value))
    return route
