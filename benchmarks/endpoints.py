"""The endpoints for two workloads, as the owner of a service would write them."""

from pathlib import Path

MARK = "# Your own endpoints go below this line: what updates add comes above it.\n"
ENDPOINTS = '''

import asyncio

from fastapi import Depends
from sqlalchemy import select

from app.database import Database, get_database


@tasks_router.get("/tasks/{task_id}/built", response_model=TaskRead)
async def get_task_by_a_statement_built_here(session: ReadSession, task_id: UUID) -> Task:
    task = await session.scalar(select(Task).where(Task.id == task_id))
    if task is None:
        raise crud.TaskNotFound
    return task


@projects_router.post("/{project_id}/mixed", status_code=201, response_model=TaskRead)
async def ask_other_service(
    project_id: UUID, database: Annotated[Database, Depends(get_database)]
) -> Task:
    """Read, ask a slow service without holding a connection, and write."""
    async with database.read() as session:
        project = await crud.get_project(session, project_id)
    await asyncio.sleep(0.2)
    async with database.write.begin() as session:
        [task] = await crud.create_tasks(session, project, [TaskCreate(title="Mixed")])
    return task
'''


def add_endpoints(service: Path) -> None:
    """Add the endpoints to a service with the structure `flat` and without accounts."""
    api = service / "app" / "api.py"
    before, found, after = api.read_text().partition(MARK)
    assert found, f"{api} has changed"
    api.write_text(before + found + ENDPOINTS + after)
