"""The workload \"JOIN and aggregate\" on SQLAlchemy."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select

from benchmarks.references.models import Project, Task, now
from benchmarks.references.schemas import Summary


def count_tasks(project_id: UUID) -> Select[str, int, int]:
    """The number of tasks and of overdue tasks by status."""
    overdue = case(((Task.due_at < now()) & (Task.status != "done"), 1))
    return (
        select(Task.status, func.count(), func.count(overdue))
        .join(Project)
        .where(Project.id == project_id)
        .group_by(Task.status)
    )


def summary_of(rows: Iterable[Any]) -> Summary:
    found = list(rows)
    by_status = {status: count for status, count, _ in found}
    return Summary(
        total=sum(by_status.values()), overdue=sum(row[2] for row in found), by_status=by_status
    )
