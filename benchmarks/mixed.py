"""The endpoint for the mixed workload, as the owner of a service would write it."""

from pathlib import Path

MODULE = '''"""Reads, asks a slow service without holding a connection, and writes."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from app import crud
from app.database import Database, get_database
from app.models import Task
from app.schemas import TaskCreate, TaskRead

router = APIRouter()


@router.post("/api/v1/projects/{project_id}/mixed", status_code=201, response_model=TaskRead)
async def ask_other_service(
    project_id: UUID, database: Annotated[Database, Depends(get_database)]
) -> Task:
    async with database.read() as session:
        project = await crud.get_project(session, project_id)
    await asyncio.sleep(0.2)
    async with database.write.begin() as session:
        [task] = await crud.create_tasks(session, project, [TaskCreate(title="Mixed")])
    return task
'''
INCLUDE = """from app import mixed  # noqa: E402

app.include_router(mixed.router)

"""
MARK = 'if __name__ == "__main__":'


def add_mixed_endpoint(service: Path) -> None:
    """Add the endpoint to a service without accounts; with accounts, tasks have owners."""
    if (service / "app" / "auth.py").exists():
        return
    (service / "app" / "mixed.py").write_text(MODULE)
    main = service / "app" / "main.py"
    before, found, after = main.read_text().partition(MARK)
    assert found, f"{main} has changed"
    main.write_text(before + INCLUDE + found + after)
