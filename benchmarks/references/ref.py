"""REF: FastAPI and async SQLAlchemy as in their documentation, with the default pool."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from benchmarks.references.models import ACCOUNTS, Project, Task, User, now
from benchmarks.references.other_service import SECONDS_OF_OTHER_SERVICE
from benchmarks.references.schemas import (
    ProjectCreate,
    ProjectPage,
    ProjectRead,
    ProjectReadWithTasks,
    Summary,
    TaskBatch,
    TaskRead,
    Token,
)
from benchmarks.references.summary import count_tasks, summary_of

# Without POOL_SIZE, the default: 5 connections that stay open, and 10 that are opened as needed.
size = os.environ.get("POOL_SIZE")
pool = {"pool_size": int(size), "max_overflow": 0} if size else {}
# 30 seconds, unless everything is slower, as under callgrind.
if timeout := os.environ.get("POOL_TIMEOUT"):
    pool["pool_timeout"] = int(timeout)
# FastAPI's tutorial refreshes what it created. REFRESH=0 measures what that costs.
REFRESH = os.environ.get("REFRESH") != "0"

engine = create_async_engine(os.environ["DATABASE_URL"], **pool)
async_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with async_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]

SECRET_KEY = "a secret that only the benchmark has"
password_hash = PasswordHash.recommended()
oauth2_scheme = OAuth2PasswordBearer("/api/v1/auth/token")


async def get_current_user(
    token: Annotated[str, Depends(oauth2_scheme)], session: SessionDep
) -> User:
    try:
        user_id = UUID(jwt.decode(token, SECRET_KEY, algorithms=["HS256"])["sub"])
    except (jwt.InvalidTokenError, ValueError):
        raise HTTPException(401) from None
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(401)
    return user


@app.post("/api/v1/auth/token")
async def log_in(
    session: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> Token:
    user = await session.scalar(select(User).where(User.email == form.username))
    # The tutorial hashes in the event loop; a thread is in favor of this reference.
    if user is None or not await run_in_threadpool(
        password_hash.verify, form.password, user.password_hash
    ):
        raise HTTPException(401)
    claims = {"sub": str(user.id), "exp": now() + timedelta(minutes=30)}
    return Token(access_token=jwt.encode(claims, SECRET_KEY, "HS256"))


if ACCOUNTS:

    @app.get("/api/v1/tasks/{task_id}", response_model=TaskRead)
    async def read_own_task(
        user: Annotated[User, Depends(get_current_user)], session: SessionDep, task_id: UUID
    ) -> Task:
        statement = select(Task).join(Project).where(Task.id == task_id)
        task = await session.scalar(statement.where(Project.owner_id == user.id))
        if task is None:
            raise HTTPException(404)
        return task

else:

    @app.get("/api/v1/tasks/{task_id}", response_model=TaskRead)
    @app.get("/api/v1/tasks/{task_id}/built", response_model=TaskRead)
    async def read_task(session: SessionDep, task_id: UUID) -> Task:
        task = await session.get(Task, task_id)
        if task is None:
            raise HTTPException(404)
        return task


@app.get("/api/v1/projects", response_model=ProjectPage)
async def list_projects(
    session: SessionDep, offset: int = 0, limit: int = 20
) -> dict[str, list[Project]]:
    statement = select(Project).order_by(Project.created_at.desc(), Project.id.desc())
    projects = await session.scalars(statement.offset(offset).limit(limit))
    return {"items": list(projects.all())}


@app.post("/api/v1/projects", status_code=201, response_model=ProjectRead)
async def create_project(session: SessionDep, body: ProjectCreate) -> Project:
    project = Project(**body.model_dump())
    session.add(project)
    await session.commit()
    if REFRESH:
        await session.refresh(project)
    return project


@app.get("/api/v1/projects/{project_id}", response_model=ProjectReadWithTasks)
async def read_project(session: SessionDep, project_id: UUID) -> Project:
    options = [selectinload(Project.tasks)]
    project = await session.get(Project, project_id, options=options)
    if project is None:
        raise HTTPException(404)
    return project


@app.get("/api/v1/projects/{project_id}/summary")
async def summarize(session: SessionDep, project_id: UUID) -> Summary:
    return summary_of(await session.execute(count_tasks(project_id)))


@app.post(
    "/api/v1/projects/{project_id}/tasks/batch", status_code=201, response_model=list[TaskRead]
)
async def create_tasks(session: SessionDep, project_id: UUID, body: TaskBatch) -> list[Task]:
    tasks = [Task(project_id=project_id, **task.model_dump()) for task in body.tasks]
    session.add_all(tasks)
    await session.commit()
    return tasks


@app.post("/api/v1/projects/{project_id}/mixed", status_code=201, response_model=TaskRead)
async def ask_other_service(session: SessionDep, project_id: UUID) -> Task:
    if await session.get(Project, project_id) is None:
        raise HTTPException(404)
    await asyncio.sleep(SECONDS_OF_OTHER_SERVICE)
    task = Task(project_id=project_id, title="Mixed", status="todo", priority=3)
    session.add(task)
    await session.commit()
    await session.refresh(task)
    return task
