"""The common code of the blocking references: SQLAlchemy's `Session` on the default pool."""

import os
import time
from collections.abc import Iterator
from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from benchmarks.references.models import Project, Task
from benchmarks.references.other_service import SECONDS_OF_OTHER_SERVICE
from benchmarks.references.schemas import ProjectCreate, Summary, TaskBatch
from benchmarks.references.summary import count_tasks, summary_of

engine = create_engine(os.environ["DATABASE_URL"])
make_session = sessionmaker(engine, expire_on_commit=False)


def get_session() -> Iterator[Session]:
    with make_session() as session:
        yield session


def read_task(session: Session, task_id: UUID) -> Task:
    task = session.get(Task, task_id)
    if task is None:
        raise HTTPException(404)
    return task


def list_projects(session: Session, limit: int) -> dict[str, list[Project]]:
    statement = select(Project).order_by(Project.created_at.desc(), Project.id.desc())
    return {"items": list(session.scalars(statement.limit(limit)).all())}


def create_project(session: Session, body: ProjectCreate) -> Project:
    project = Project(**body.model_dump())
    session.add(project)
    session.commit()
    session.refresh(project)
    return project


def read_project(session: Session, project_id: UUID) -> Project:
    project = session.get(Project, project_id, options=[selectinload(Project.tasks)])
    if project is None:
        raise HTTPException(404)
    return project


def summarize(session: Session, project_id: UUID) -> Summary:
    return summary_of(session.execute(count_tasks(project_id)))


def create_tasks(session: Session, project_id: UUID, body: TaskBatch) -> list[Task]:
    tasks = [Task(project_id=project_id, **task.model_dump()) for task in body.tasks]
    session.add_all(tasks)
    session.commit()
    return tasks


def ask_other_service(session: Session, project_id: UUID) -> Task:
    if session.get(Project, project_id) is None:
        raise HTTPException(404)
    time.sleep(SECONDS_OF_OTHER_SERVICE)
    task = Task(project_id=project_id, title="Mixed", status="todo", priority=3)
    session.add(task)
    session.commit()
    session.refresh(task)
    return task
