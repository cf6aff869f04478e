"""Render a default service, migrate it, start it, call its API, and say where to look."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent
UV = str(Path(sys.executable).parent / "uv")
SECONDS_TO_START = 60


def main() -> None:
    service = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="demo-"), "stock")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}

    def run(*command: str) -> None:
        print(f"$ uv {' '.join(command)}", flush=True)
        subprocess.run([UV, *command], cwd=service, env=environment, check=True)

    print(f"$ copier copy --defaults . {service}", flush=True)
    render(service)
    run("sync", "--quiet")
    run("run", "alembic", "upgrade", "head")
    port = free_port()
    command = ["run", "python", "-m", "app.main"]
    environment |= {"PORT": str(port), "SHUTDOWN_DELAY": "0"}
    print(f"$ uv {' '.join(command)} &", flush=True)
    log = service.parent / "service.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [UV, *command], cwd=service, env=environment, stdout=output, stderr=output
        )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_until_ready(base, server, log)
        project = call(base, "POST", "/api/v1/projects", {"name": "Garden"})
        tasks = [{"title": "Dig", "status": "done"}, {"title": "Sow", "priority": 1}]
        call(base, "POST", f"/api/v1/projects/{project['id']}/tasks/batch", {"tasks": tasks})
        summary = call(base, "GET", f"/api/v1/projects/{project['id']}/summary")
        assert summary["by_status"] == {"todo": 1, "doing": 0, "done": 1}, summary
    finally:
        server.terminate()
        server.wait(30)
    print(
        f"\nIt works, and is stopped again. The service is in {service}:\n"
        "  README.md         how to run, test and change it\n"
        "  app/database.py   engine and sessions\n"
        "  app/models.py     tables\n"
        "Start it again there with `uv run uvicorn app.main:app --reload`, and open\n"
        "http://127.0.0.1:8000/docs"
    )


def render(service: Path) -> None:
    """Render the work tree as it is: a copy without git, so that Copier takes no older tag."""
    with tempfile.TemporaryDirectory() as folder:
        for part in ("copier.yml", "includes", "template"):
            source, target = ROOT / part, Path(folder, part)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        command = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet"]
        subprocess.run([*command, folder, str(service)], check=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_ready(base: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(SECONDS_TO_START * 10):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"{base}/health/ready", timeout=5):
                return
        except URLError:
            time.sleep(0.1)
    sys.exit(f"The service did not start:\n{log.read_text()}")


def call(base: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(base + path, data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=30) as response:
        answer = json.load(response)
    print(f"\n{method} {path} {json.dumps(body) if body else ''}\n{json.dumps(answer, indent=2)}")
    return answer


if __name__ == "__main__":
    main()
