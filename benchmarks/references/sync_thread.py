"""SYNC-THREAD: blocking calls in `def` endpoints, which FastAPI runs in forty threads."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from benchmarks.references import sync
from benchmarks.references.models import Project, Task
from benchmarks.references.schemas import (
    ProjectCreate,
    ProjectPage,
    ProjectRead,
    ProjectReadWithTasks,
    Summary,
    TaskBatch,
    TaskRead,
)

app = FastAPI()
SessionDep = Annotated[Session, Depends(sync.get_session)]


@app.get("/api/v1/tasks/{task_id}", response_model=TaskRead)
def read_task(session: SessionDep, task_id: UUID) -> Task:
    return sync.read_task(session, task_id)


@app.get("/api/v1/projects", response_model=ProjectPage)
def list_projects(session: SessionDep, limit: int = 20) -> dict[str, list[Project]]:
    return sync.list_projects(session, limit)


@app.post("/api/v1/projects", status_code=201, response_model=ProjectRead)
def create_project(session: SessionDep, body: ProjectCreate) -> Project:
    return sync.create_project(session, body)


@app.get("/api/v1/projects/{project_id}", response_model=ProjectReadWithTasks)
def read_project(session: SessionDep, project_id: UUID) -> Project:
    return sync.read_project(session, project_id)


@app.get("/api/v1/projects/{project_id}/summary")
def summarize(session: SessionDep, project_id: UUID) -> Summary:
    return sync.summarize(session, project_id)


@app.post(
    "/api/v1/projects/{project_id}/tasks/batch", status_code=201, response_model=list[TaskRead]
)
def create_tasks(session: SessionDep, project_id: UUID, body: TaskBatch) -> list[Task]:
    return sync.create_tasks(session, project_id, body)


@app.post("/api/v1/projects/{project_id}/mixed", status_code=201, response_model=TaskRead)
def ask_other_service(session: SessionDep, project_id: UUID) -> Task:
    return sync.ask_other_service(session, project_id)
