"""Render the default service, migrate it, start it and call its API."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2

from harness.rendering import export, render
from harness.services import UV
from harness.waiting import free_port, wait_until_reachable


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="demo-"))
    service = folder / "stock"
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}

    def run(*command: str) -> None:
        print(f"$ uv {' '.join(command)}", flush=True)
        subprocess.run([UV, *command], cwd=service, env=environment, check=True)

    print(f"$ copier copy --defaults . {service}", flush=True)
    with tempfile.TemporaryDirectory() as template:
        render(export(Path(template)), service)
    run("sync", "--quiet")
    run("run", "alembic", "upgrade", "head")
    port = free_port()
    command = ["run", "python", "-m", "app.main"]
    environment |= {"PORT": str(port), "SHUTDOWN_DELAY": "0"}
    print(f"$ uv {' '.join(command)} &", flush=True)
    log = folder / "service.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [UV, *command], cwd=service, env=environment, stdout=output, stderr=output
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until_reachable(
                lambda: client.get("/health/ready").raise_for_status(),
                httpx2.HTTPError,
                server,
                log,
            )
            call_api(client)
    finally:
        server.terminate()
        server.wait(30)
    print(
        f"\nThe service is in {service}:\n"
        "  README.md         how to run, test and change it\n"
        "  app/database.py   sessions for endpoints\n"
        "  app/models.py     tables\n"
        "Start it there with `uv run fastapi dev` and open http://127.0.0.1:8000/docs"
    )


def call_api(client: httpx2.Client) -> None:
    project = call(client, "POST", "/api/v1/projects", {"name": "Garden"})
    tasks = [{"title": "Dig", "status": "done"}, {"title": "Sow", "priority": 1}]
    call(client, "POST", f"/api/v1/projects/{project['id']}/tasks/batch", {"tasks": tasks})
    summary = call(client, "GET", f"/api/v1/projects/{project['id']}/summary")
    assert summary["by_status"] == {"todo": 1, "doing": 0, "done": 1}, summary


def call(client: httpx2.Client, method: str, path: str, body: Any = None) -> Any:
    response = client.request(method, path, json=body).raise_for_status()
    print(f"\n{method} {path} {json.dumps(body) if body else ''}")
    print(json.dumps(response.json(), indent=2))
    return response.json()


if __name__ == "__main__":
    main()
