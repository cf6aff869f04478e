"""The cost of each layer: run in the folder of a service with a task ID and a number of batches.

Prints the CPU microseconds of each layer as JSON, in the order of `sections.layers.NAMES`.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import uvloop

BATCH = 40

Run = Callable[[], Awaitable[Any]]


async def request(app: Any, path: str) -> None:
    """Call the application, without a server and a network."""
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"},
        **{"method": "GET", "path": path, "raw_path": path.encode(), "root_path": ""},
        **{"query_string": b"", "headers": [(b"host", b"localhost")], "state": {}},
        **{"client": ("127.0.0.1", 1), "server": ("localhost", 80)},
    }
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    assert statuses == [200], statuses


async def cost(runs: list[Run], batches: int) -> list[float]:
    """The costs of all runs, measured in turn so that other load affects all of them."""
    for run in runs:
        for _ in range(5 * BATCH):
            await run()
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(batches):
        for run, times in zip(runs, found, strict=True):
            began = time.process_time()
            for _ in range(BATCH):
                await run()
            times.append(1e6 * (time.process_time() - began) / BATCH)
    return [median(times) for times in found]


async def main(task_id: UUID, batches: int) -> list[float]:
    sys.path.insert(0, "")
    from app import crud
    from app.main import app
    from app.models import Task
    from sqlalchemy import bindparam, select

    database = app.state.database
    url = database.engine.url.set(drivername="postgresql").render_as_string(False)
    raw = await asyncpg.connect(url)
    table = Task.__table__
    core = select(table).where(table.c.id == bindparam("task_id"))
    autocommit = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    values = {"task_id": task_id}

    async def driver() -> None:
        await raw.fetch("SELECT * FROM tasks WHERE id = $1", task_id)

    async with autocommit.connect() as held:

        async def rows() -> None:
            (await held.execute(core, values)).one()

        async def pooled_rows() -> None:
            async with autocommit.connect() as connection:
                (await connection.execute(core, values)).one()

        async def objects() -> None:
            await database.read().scalar(crud.TASK, values)

        async def endpoint() -> None:
            await request(app, "/health/live")

        async def whole() -> None:
            await request(app, f"/api/v1/tasks/{task_id}")

        found = await cost([driver, rows, pooled_rows, objects, endpoint, whole], batches)
    await raw.close()
    await database.dispose()
    return found


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(UUID(sys.argv[1]), int(sys.argv[2])))))
