"""Endpoints through which users reach rows of others, each in another way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse
from pydantic import Field
from sqlalchemy import delete, select, update

from app.auth import CurrentUser, get_current_user
from app.core.errors import DomainError, NotFound, problems
from app.core.schemas import Input
from app.database import ReadSession, Session
from app.invoices.models import Folder, Invoice, Line
from app.invoices.routes import OwnInvoice
from app.models import Project, Task


class Forbidden(DomainError):
    status = 403
    detail = "This belongs to another user."


class Closed(DomainError):
    status = 409
    detail = "The project is closed."


class Move(Input):
    project_id: UUID


class Steps(Input):
    steps: list[Move]


class Digits(Input):
    digits: Annotated[str, Field(pattern="^[0-9]+$")]
    project_id: UUID


leaks_router = APIRouter(
    prefix="/leaks",
    tags=["leaks"],
    dependencies=[Depends(get_current_user)],
    responses=problems(401, 404),
)


@leaks_router.get("/unchecked/{project_id}")
async def read_unchecked(session: ReadSession, project_id: UUID) -> str:
    project = await session.get(Project, project_id)
    if project is None:
        raise NotFound
    return project.name


@leaks_router.get("/composite/{year}/{number}")
async def read_composite(session: ReadSession, year: int, number: int) -> str:
    invoice = await session.get(Invoice, (year, number))
    if invoice is None:
        raise NotFound
    return invoice.customer


@leaks_router.delete("/unbound/{year}/{number}/lines/{id}")
async def delete_unbound(invoice: OwnInvoice, session: Session, id: int) -> None:
    line = await session.get(Line, id)
    if line is None:
        raise NotFound
    await session.delete(line)


@leaks_router.get("/parent/{project_id}/tasks/{task_id}")
async def read_with_unchecked_parent(
    user: CurrentUser, session: ReadSession, project_id: UUID, task_id: UUID
) -> str:
    statement = select(Task).join(Task.project).where(Task.id == task_id)
    task = await session.scalar(statement.where(Project.owner_id == user.id))
    if task is None or await session.get(Project, project_id) is None:
        raise NotFound
    return task.title


@leaks_router.post("/updated/{project_id}")
async def update_before_not_found(user: CurrentUser, session: Session, project_id: UUID) -> None:
    await session.execute(update(Project).where(Project.id == project_id).values(name="Mine"))
    await session.commit()
    project = await session.get(Project, project_id)
    if project is None or project.owner_id != user.id:
        raise NotFound


@leaks_router.put("/accepted/{project_id}")
async def accept_any(project_id: UUID) -> None:
    pass


@leaks_router.get("/forbidden/{project_id}")
async def read_forbidden(user: CurrentUser, session: ReadSession, project_id: UUID) -> str:
    project = await session.get(Project, project_id)
    if project is None:
        raise NotFound
    if project.owner_id != user.id:
        raise Forbidden
    return project.name


@leaks_router.post("/closed/{project_id}")
async def read_conflict(user: CurrentUser, session: ReadSession, project_id: UUID) -> None:
    if await session.get(Project, project_id) is not None:
        raise Closed
    raise NotFound


@leaks_router.put("/moved/{task_id}")
async def move_task(user: CurrentUser, session: Session, task_id: UUID, body: Move) -> None:
    own = select(Project.id).where(Project.owner_id == user.id)
    statement = update(Task).where(Task.id == task_id, Task.project_id.in_(own))
    if not (await session.execute(statement.values(project_id=body.project_id))).rowcount:
        raise NotFound


@leaks_router.post("/nested")
async def read_nested(user: CurrentUser, session: ReadSession, body: Steps) -> list[str]:
    ids = [step.project_id for step in body.steps]
    return list(await session.scalars(select(Project.name).where(Project.id.in_(ids)).limit(9)))


@leaks_router.post("/bulk", status_code=204)
async def delete_bulk(session: Session, body: list[int]) -> None:
    await session.execute(delete(Folder).where(Folder.id.in_(body)))


@leaks_router.get("/filtered")
async def list_filtered(session: ReadSession, parent_id: int | None = None) -> list[str]:
    statement = select(Folder.name).where(Folder.parent_id == parent_id)
    return list(await session.scalars(statement.limit(100)))


@leaks_router.get("/listed")
async def list_all(session: ReadSession) -> list[str]:
    return list(await session.scalars(select(Project.name).limit(100)))


@leaks_router.get("/own/{project_id}/tasks")
async def list_tasks_of_all(user: CurrentUser, session: ReadSession, project_id: UUID) -> list[str]:
    project = await session.get(Project, project_id)
    if project is None or project.owner_id != user.id:
        raise NotFound
    return list(await session.scalars(select(Task.title).limit(100)))


@leaks_router.get("/streamed/{project_id}", response_class=EventSourceResponse)
async def stream_unchecked(project_id: UUID) -> AsyncIterator[str]:
    while True:
        yield str(project_id)
        await asyncio.sleep(0.01)


@leaks_router.get("/unknown/{drawer}")
async def read_unknown(drawer: int) -> int:
    return drawer


@leaks_router.get("/unknown")
async def list_unknown(shelf_id: int) -> int:
    return shelf_id


@leaks_router.get("/headed")
async def read_header(session: ReadSession, x_project_id: Annotated[UUID, Header()]) -> str | None:
    project = await session.get(Project, x_project_id)
    return project and project.name


@leaks_router.post("/invalid")
async def create_invalid(body: Digits) -> str:
    return body.digits


@leaks_router.get("/same/{place}")
async def read_same(place: int) -> int:
    return place


@leaks_router.get("/strange/{project_id}")
async def read_strange(user: CurrentUser, project_id: UUID) -> None:
    raise NotFound


open_router = APIRouter(prefix="/open", tags=["open"])


@open_router.get("/undeclared")
async def read_undeclared(user: CurrentUser) -> None:
    pass


@open_router.get("/anonymous")
async def read_anonymous() -> None:
    pass
