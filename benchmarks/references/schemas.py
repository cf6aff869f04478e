"""Request and response schemas, as in FastAPI's tutorial."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class ProjectCreate(BaseModel):
    name: str
    description: str = ""


class TaskCreate(BaseModel):
    title: str
    status: str = "todo"
    priority: int = 3
    due_at: datetime | None = None


class TaskBatch(BaseModel):
    tasks: list[TaskCreate]


class TaskRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    title: str
    status: str
    priority: int
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class ProjectRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    version: int


class ProjectReadWithTasks(ProjectRead):
    tasks: list[TaskRead]


class ProjectPage(BaseModel):
    items: list[ProjectRead]


class Summary(BaseModel):
    total: int
    overdue: int
    by_status: dict[str, int]


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"
