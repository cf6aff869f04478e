"""Match each route once: FastAPI matches the routes of an included router twice."""

from inspect import signature
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts

# A route has an attribute with the name of each argument of its constructor.
ARGUMENTS = signature(APIRoute).parameters.keys() - {"form_limits", "include_in_schema"}


def add_direct_routes(app: FastAPI) -> None:
    """Put a copy of each route of the included routers before them; the OpenAPI document has none.

    The copying ends at the first route or router whose copy would behave differently, such as a
    route of a class of its own. So the order of the routes stays.
    """
    routes: list[Any] = app.router.routes
    first = next((i for i, route in enumerate(routes) if _is_included_router(route)), len(routes))
    copies: list[Any] = []
    for route in routes[first:]:
        if not _can_be_copied(route):
            break
        contexts = iter_route_contexts([route])
        copies += [_copy(each) for each in contexts if isinstance(each.original_route, APIRoute)]
    routes[first:first] = copies


def _is_included_router(route: Any) -> bool:
    # Undocumented, as are its attributes: `tests/core/test_routing.py` is the contract.
    return hasattr(route, "original_router")


def _can_be_copied(route: Any) -> bool:
    if _is_included_router(route):
        return (
            type(route.original_router) is APIRouter
            and not route.include_context.form_limits
            and all(map(_can_be_copied, route.original_router.routes))
        )
    # A WebSocket needs no copy: requests never match it.
    return type(route) is APIWebSocketRoute or (
        type(route) is APIRoute and route.stream_item_type is None
    )


def _copy(context: RouteContext) -> APIRoute:
    arguments = {name: getattr(context, name) for name in ARGUMENTS}
    original: Any = context.original_route
    return APIRoute(**arguments, form_limits=original.form_limits, include_in_schema=False)
