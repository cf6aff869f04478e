"""The common code of the floors: plain SQL, dictionaries and orjson."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from benchmarks.references.other_service import SECONDS_OF_OTHER_SERVICE
from benchmarks.references.raw import driver

raw = driver()

PROJECT = ("id", "name", "description", "created_at", "updated_at", "version")
TASK = (
    *("id", "project_id", "title", "status", "priority"),
    *("due_at", "created_at", "updated_at", "version"),
)


def select(columns: tuple[str, ...], rest: str) -> str:
    statement: str = raw.sql(f"SELECT {', '.join(columns)} FROM {rest}")
    return statement


def insert(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" for _ in columns)
    statement: str = raw.sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})")
    return statement


READ_PROJECT = select(PROJECT, "projects WHERE id = ?")
LIST_PROJECTS = select(PROJECT, "projects ORDER BY created_at DESC, id DESC LIMIT 20")
READ_TASK = select(TASK, "tasks WHERE id = ?")
TASKS_OF_PROJECT = select(TASK, "tasks WHERE project_id = ? ORDER BY id")
SUMMARY = raw.sql(
    "SELECT t.status, count(*), count(CASE WHEN t.due_at < ? AND t.status <> 'done' THEN 1 END)"
    " FROM projects p JOIN tasks t ON t.project_id = p.id WHERE p.id = ? GROUP BY t.status"
)
CREATE_PROJECT = insert("projects", PROJECT)
CREATE_TASK = insert("tasks", TASK)


def dump(content: Any) -> bytes:
    dumped: bytes = orjson.dumps(content, default=str)
    return dumped


async def read_task(key: UUID) -> bytes | None:
    rows = await raw.fetch(READ_TASK, raw.key(key))
    return dump(dict(zip(TASK, rows[0], strict=True))) if rows else None


async def list_projects() -> bytes:
    rows = await raw.fetch(LIST_PROJECTS)
    return dump({"items": [dict(zip(PROJECT, row, strict=True)) for row in rows]})


async def read_project(key: UUID) -> bytes | None:
    rows = await raw.fetch(READ_PROJECT, raw.key(key))
    if not rows:
        return None
    tasks = await raw.fetch(TASKS_OF_PROJECT, raw.key(key))
    project = dict(zip(PROJECT, rows[0], strict=True))
    return dump(project | {"tasks": [dict(zip(TASK, row, strict=True)) for row in tasks]})


async def summarize(key: UUID) -> bytes:
    rows = await raw.fetch(SUMMARY, datetime.now(UTC), raw.key(key))
    by_status = {status: count for status, count, _ in rows}
    overdue = sum(row[2] for row in rows)
    return dump({"total": sum(by_status.values()), "overdue": overdue, "by_status": by_status})


async def create_project(body: dict[str, Any]) -> bytes:
    now = datetime.now(UTC)
    values = (uuid7(), body["name"], body.get("description", ""), now, now, 1)
    await raw.fetch(CREATE_PROJECT, raw.key(values[0]), *values[1:])
    return dump(dict(zip(PROJECT, values, strict=True)))


def task_of(key: UUID, body: dict[str, Any]) -> tuple[Any, ...]:
    now = datetime.now(UTC)
    title, status, priority = body["title"], body.get("status", "todo"), body.get("priority", 3)
    return (uuid7(), key, title, status, priority, None, now, now, 1)


async def create_tasks(key: UUID, body: dict[str, Any]) -> bytes:
    rows = [task_of(key, task) for task in body["tasks"]]
    stored = [(raw.key(row[0]), raw.key(row[1]), *row[2:]) for row in rows]
    await raw.execute_many(CREATE_TASK, stored)
    return dump([dict(zip(TASK, row, strict=True)) for row in rows])


async def ask_other_service(key: UUID) -> bytes | None:
    """Read, ask a slow service, write."""
    if not await raw.fetch(READ_PROJECT, raw.key(key)):
        return None
    await asyncio.sleep(SECONDS_OF_OTHER_SERVICE)
    row = task_of(key, {"title": "Mixed"})
    await raw.fetch(CREATE_TASK, raw.key(row[0]), raw.key(row[1]), *row[2:])
    return dump(dict(zip(TASK, row, strict=True)))
