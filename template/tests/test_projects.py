"""Projects: the endpoints under /projects."""

from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Project, Task, TaskStatus

PROJECTS = "/api/v1/projects"


async def create(client: AsyncClient, *names: str) -> None:
    for name in names:
        response = await client.post(PROJECTS, json={"name": name})
        assert response.status_code == 201


async def test_created_project_is_returned_and_can_be_read(client: AsyncClient) -> None:
    created = await client.post(PROJECTS, json={"name": " Kitchen ", "description": "New\ntiles"})
    assert created.status_code == 201
    body = created.json()
    assert (body["name"], body["description"]) == ("Kitchen", "New\ntiles")
    assert body["created_at"] <= body["updated_at"]
    assert body["created_at"].endswith("Z")
    read = await client.get(f"{PROJECTS}/{body['id']}")
    assert read.json() == {**body, "tasks": []}


async def test_name_is_taken_once(client: AsyncClient, project: Project) -> None:
    response = await client.post(PROJECTS, json={"name": project.name})
    assert response.status_code == 409
    assert response.json()["code"] == "unique"
    assert response.json()["errors"][0]["loc"] == ["body", "name"]


async def test_names_that_differ_in_case_are_two_projects(
    client: AsyncClient, project: Project
) -> None:
    assert (await client.post(PROJECTS, json={"name": project.name.upper()})).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": None},
        {"name": "x" * 101},
        {"name": "two\nlines"},
        {"name": "nul\x00"},
        {"name": "x", "description": "nul\x00"},
        {"name": "x", "description": "x" * 2001},
        {"name": "x", "colour": "red"},
    ],
)
async def test_unfit_project_is_refused(client: AsyncClient, body: dict[str, object]) -> None:
    response = await client.post(PROJECTS, json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("created_at", ["b", "a", "c"]),
        ("-created_at", ["c", "a", "b"]),
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
    ],
)
async def test_pages_hold_every_project_once_in_order(
    client: AsyncClient, sort: str, names: list[str]
) -> None:
    await create(client, "b", "a", "c")
    found: list[str] = []
    query = {"sort": sort, "limit": "1"}
    while True:
        page = (await client.get(PROJECTS, params=query)).json()
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == names


async def test_newest_project_comes_first_unless_asked(client: AsyncClient) -> None:
    await create(client, "old", "new")
    page = (await client.get(PROJECTS)).json()
    assert [item["name"] for item in page["items"]] == ["new", "old"]


async def test_cursor_of_another_sort_is_refused(client: AsyncClient) -> None:
    await create(client, "a", "b")
    first = (await client.get(PROJECTS, params={"sort": "name", "limit": 1})).json()
    query = {"sort": "-name", "cursor": first["next_cursor"]}
    response = await client.get(PROJECTS, params=query)
    assert response.status_code == 422
    assert response.json()["code"] == "invalid_cursor"


@pytest.mark.parametrize("cursor", ["", "?", "AAAA", "e30=", "WyIiLCIiLCIiXQ=="])
async def test_damaged_cursor_is_refused(client: AsyncClient, cursor: str) -> None:
    response = await client.get(PROJECTS, params={"cursor": cursor})
    assert response.status_code == 422


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": -1}, {"sort": "id"}, {"page": 2}]
)
async def test_unfit_query_is_refused(client: AsyncClient, query: dict[str, str]) -> None:
    assert (await client.get(PROJECTS, params=query)).status_code == 422


async def test_project_comes_with_its_tasks(client: AsyncClient, task: Task) -> None:
    project = (await client.get(f"{PROJECTS}/{task.project_id}")).json()
    assert [found["id"] for found in project["tasks"]] == [str(task.id)]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/summary"), ("PATCH", ""), ("DELETE", "")],
)
async def test_missing_project_is_not_found(client: AsyncClient, method: str, path: str) -> None:
    response = await client.request(
        method, f"{PROJECTS}/{uuid4()}{path}", json={} if method == "PATCH" else None
    )
    assert response.status_code == 404
    assert response.json()["code"] == "project_not_found"


async def test_patch_changes_what_was_sent_and_nothing_else(
    client: AsyncClient, project: Project
) -> None:
    response = await client.patch(f"{PROJECTS}/{project.id}", json={"name": "Orchard"})
    assert response.status_code == 200
    body = response.json()
    assert (body["name"], body["description"]) == ("Orchard", project.description)
    assert body["updated_at"] > body["created_at"]


async def test_patch_refuses_null(client: AsyncClient, project: Project) -> None:
    response = await client.patch(f"{PROJECTS}/{project.id}", json={"name": None})
    assert response.status_code == 422


async def test_deleted_project_is_gone_with_its_tasks(
    client: AsyncClient, session: AsyncSession, task: Task
) -> None:
    path = f"{PROJECTS}/{task.project_id}"
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404
    session.expunge_all()
    assert await session.get(Task, task.id) is None


async def test_summary_counts_tasks_by_status_and_overdue_ones(
    client: AsyncClient, project: Project
) -> None:
    long_ago = "2001-02-03T04:05:06Z"
    tasks = [
        {"title": "late", "due_at": long_ago},
        {"title": "in time", "due_at": "2999-01-01T00:00:00Z"},
        {"title": "late but done", "due_at": long_ago, "status": TaskStatus.DONE},
    ]
    await client.post(f"{PROJECTS}/{project.id}/tasks/batch", json={"tasks": tasks})
    summary = (await client.get(f"{PROJECTS}/{project.id}/summary")).json()
    assert summary == {
        "total": 3,
        "overdue": 1,
        "by_status": {"todo": 2, "doing": 0, "done": 1},
    }


async def test_summary_of_an_empty_project_is_all_zeros(
    client: AsyncClient, project: Project
) -> None:
    summary = (await client.get(f"{PROJECTS}/{project.id}/summary")).json()
    assert summary == {
        "total": 0,
        "overdue": 0,
        "by_status": {"todo": 0, "doing": 0, "done": 0},
    }
