"""The types that all models share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Project, Task


async def test_moment_comes_back_in_utc_to_the_microsecond(
    session: AsyncSession, task: Task
) -> None:
    task.due_at = datetime(2030, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2)))
    await session.commit()
    session.expunge_all()
    found = await session.scalar(select(Task.due_at))
    assert found == task.due_at
    assert found.tzinfo is UTC


async def test_moment_without_a_time_zone_is_refused(session: AsyncSession, task: Task) -> None:
    task.due_at = datetime(2030, 1, 1)  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone"):
        await session.flush()


async def test_ids_made_one_after_another_sort_in_that_order(
    session: AsyncSession, project: Project
) -> None:
    tasks = [
        Task(project_id=project.id, title=str(n), status="todo", priority=1) for n in range(100)
    ]
    session.add_all(tasks)
    await session.flush()
    titles = (await session.scalars(select(Task.title).order_by(Task.id))).all()
    assert titles == [task.title for task in tasks]


async def test_lazy_load_is_an_error_that_says_so(session: AsyncSession, project: Project) -> None:
    session.expunge_all()
    found = await session.get_one(Project, project.id)
    with pytest.raises(InvalidRequestError, match="lazy='raise'"):
        _ = found.tasks
