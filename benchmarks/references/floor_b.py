"""FLOOR-B: FastAPI on a bare driver, with validated input and responses from bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import FastAPI, HTTPException, Response

from benchmarks.references import floor
from benchmarks.references.schemas import ProjectCreate, TaskBatch


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await floor.raw.open()
    yield
    await floor.raw.close()


app = FastAPI(lifespan=lifespan)


def answer(content: bytes | None, status: int = 200) -> Response:
    if content is None:
        raise HTTPException(404)
    return Response(content, status, media_type="application/json")


@app.get("/api/v1/tasks/{task_id}")
@app.get("/api/v1/tasks/{task_id}/built")
async def read_task(task_id: UUID) -> Response:
    return answer(await floor.read_task(task_id))


@app.get("/api/v1/projects")
async def list_projects() -> Response:
    return answer(await floor.list_projects())


@app.post("/api/v1/projects")
async def create_project(body: ProjectCreate) -> Response:
    return answer(await floor.create_project(body.model_dump()), 201)


@app.get("/api/v1/projects/{project_id}")
async def read_project(project_id: UUID) -> Response:
    return answer(await floor.read_project(project_id))


@app.get("/api/v1/projects/{project_id}/summary")
async def summarize(project_id: UUID) -> Response:
    return answer(await floor.summarize(project_id))


@app.post("/api/v1/projects/{project_id}/tasks/batch")
async def create_tasks(project_id: UUID, body: TaskBatch) -> Response:
    return answer(await floor.create_tasks(project_id, body.model_dump()), 201)


@app.post("/api/v1/projects/{project_id}/mixed")
async def ask_other_service(project_id: UUID) -> Response:
    return answer(await floor.ask_other_service(project_id), 201)
