"""FLOOR-A: Starlette on a bare driver, without validation and an OpenAPI document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.references import floor


def respond(content: bytes | None, status: int = 200) -> Response:
    if content is None:
        return Response(status_code=404)
    return Response(content, status, media_type="application/json")


async def read_task(request: Request) -> Response:
    return respond(await floor.read_task(UUID(request.path_params["task_id"])))


async def list_projects(_: Request) -> Response:
    return respond(await floor.list_projects())


async def read_project(request: Request) -> Response:
    return respond(await floor.read_project(UUID(request.path_params["project_id"])))


async def summarize(request: Request) -> Response:
    return respond(await floor.summarize(UUID(request.path_params["project_id"])))


async def create_project(request: Request) -> Response:
    return respond(await floor.create_project(orjson.loads(await request.body())), 201)


async def create_tasks(request: Request) -> Response:
    project_id = UUID(request.path_params["project_id"])
    return respond(await floor.create_tasks(project_id, orjson.loads(await request.body())), 201)


async def ask_other_service(request: Request) -> Response:
    return respond(await floor.ask_other_service(UUID(request.path_params["project_id"])), 201)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    await floor.raw.open()
    yield
    await floor.raw.close()


PROJECTS = "/api/v1/projects"
app = Starlette(
    lifespan=lifespan,
    routes=[
        Route(PROJECTS, list_projects),
        Route(PROJECTS, create_project, methods=["POST"]),
        Route(PROJECTS + "/{project_id}", read_project),
        Route(PROJECTS + "/{project_id}/summary", summarize),
        Route(PROJECTS + "/{project_id}/tasks/batch", create_tasks, methods=["POST"]),
        Route(PROJECTS + "/{project_id}/mixed", ask_other_service, methods=["POST"]),
        Route("/api/v1/tasks/{task_id}", read_task),
    ],
)
