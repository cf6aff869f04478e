"""Tasks: the endpoints under /projects/{id}/tasks and /tasks."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.models import Project, Task

TASKS = "/api/v1/tasks"


def tasks_of(project: Project) -> str:
    return f"/api/v1/projects/{project.id}/tasks"


async def test_created_task_is_returned_and_can_be_read(
    client: AsyncClient, project: Project
) -> None:
    created = await client.post(
        tasks_of(project), json={"title": "Rake", "due_at": "2030-01-02T03:04:05.678901+02:00"}
    )
    assert created.status_code == 201
    body = created.json()
    assert (body["status"], body["priority"]) == ("todo", 3)
    assert body["due_at"] == "2030-01-02T01:04:05.678901Z"
    assert (await client.get(f"{TASKS}/{body['id']}")).json() == body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "x", "priority": 0},
        {"title": "x", "priority": 6},
        {"title": "x", "priority": 2**63},
        {"title": "x", "priority": 1.5},
        {"title": "x", "status": "later"},
        {"title": "x", "due_at": "2030-01-02T03:04:05"},
        {"title": "x", "due_at": 0},
        {"title": "x", "due_at": "1969-12-31T23:59:59Z"},
        {"title": "x", "due_at": "9999-12-31T23:59:59Z"},
        {"title": "x", "project_id": str(uuid4())},
    ],
)
async def test_unfit_task_is_refused(
    client: AsyncClient, project: Project, body: dict[str, object]
) -> None:
    assert (await client.post(tasks_of(project), json=body)).status_code == 422


async def test_batch_is_created_in_order_by_one_insert(
    client: AsyncClient, database: Database, project: Project
) -> None:
    inserts: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT"):
            inserts.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", record)
    titles = [f"Plant {n}" for n in range(100)]
    response = await client.post(
        f"{tasks_of(project)}/batch", json={"tasks": [{"title": title} for title in titles]}
    )
    event.remove(engine, "before_cursor_execute", record)
    assert response.status_code == 201
    assert [task["title"] for task in response.json()] == titles
    assert len(inserts) == 1


async def test_batch_is_created_whole_or_not_at_all(client: AsyncClient, project: Project) -> None:
    tasks = [{"title": "fine"}, {"title": ""}]
    response = await client.post(f"{tasks_of(project)}/batch", json={"tasks": tasks})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "tasks", 1, "title"]
    assert (await client.get(tasks_of(project))).json()["items"] == []


@pytest.mark.parametrize("count", [0, 101])
async def test_batch_is_bounded(client: AsyncClient, project: Project, count: int) -> None:
    tasks = [{"title": "x"}] * count
    response = await client.post(f"{tasks_of(project)}/batch", json={"tasks": tasks})
    assert response.status_code == 422


async def test_list_filters_by_status(client: AsyncClient, project: Project) -> None:
    for status in ("todo", "done"):
        await client.post(tasks_of(project), json={"title": status, "status": status})
    page = (await client.get(tasks_of(project), params={"status": "done"})).json()
    assert [task["title"] for task in page["items"]] == ["done"]


@pytest.mark.parametrize("sort", ["priority", "-priority"])
async def test_tasks_of_equal_priority_appear_once_across_pages(
    client: AsyncClient, project: Project, sort: str
) -> None:
    tasks = [{"title": str(n), "priority": 1 + n % 2} for n in range(7)]
    await client.post(f"{tasks_of(project)}/batch", json={"tasks": tasks})
    found: list[dict[str, Any]] = []
    query = {"sort": sort, "limit": "2"}
    while True:
        page = (await client.get(tasks_of(project), params=query)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    priorities = [task["priority"] for task in found]
    assert priorities == sorted(priorities, reverse=sort.startswith("-"))
    assert sorted(task["title"] for task in found) == [task["title"] for task in tasks]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_tasks_of_a_missing_project_are_not_found(client: AsyncClient, method: str) -> None:
    body = {"title": "x"} if method == "POST" else None
    response = await client.request(method, f"/api/v1/projects/{uuid4()}/tasks", json=body)
    assert response.status_code == 404
    assert response.json()["code"] == "project_not_found"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_missing_task_is_not_found(client: AsyncClient, method: str) -> None:
    body: dict[str, str] | None = {} if method == "PATCH" else None
    response = await client.request(method, f"{TASKS}/{uuid4()}", json=body)
    assert response.status_code == 404
    assert response.json()["code"] == "task_not_found"


async def test_patch_sets_and_clears_the_due_time(client: AsyncClient, task: Task) -> None:
    path = f"{TASKS}/{task.id}"
    due = (await client.patch(path, json={"due_at": "2030-01-01T00:00:00Z"})).json()
    assert (due["due_at"], due["title"]) == ("2030-01-01T00:00:00Z", task.title)
    assert (await client.patch(path, json={"due_at": None})).json()["due_at"] is None


@pytest.mark.parametrize("field", ["title", "status", "priority"])
async def test_patch_refuses_null_where_a_value_is_needed(
    client: AsyncClient, task: Task, field: str
) -> None:
    assert (await client.patch(f"{TASKS}/{task.id}", json={field: None})).status_code == 422


async def test_deleted_task_is_gone_and_its_project_stays(
    client: AsyncClient, session: AsyncSession, task: Task
) -> None:
    assert (await client.delete(f"{TASKS}/{task.id}")).status_code == 204
    assert (await client.get(f"{TASKS}/{task.id}")).status_code == 404
    assert await session.get(Project, task.project_id) is not None
