"""The log of processes: each line has the format, each request has a line, no line a secret."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.parts import nightly
from harness.projects import replace, write_migration
from harness.running import SERVE, Running, database, python_of, serving, settings, succeed_in
from harness.services import Service
from harness.variants import Variant
from harness.waiting import eventually, free_port

SECRET = "a-secret-of-40-characters-that-no-line-has"
# What a client sends to add a line to the log.
FORGED = "\n2026-01-01 00:00:00,000 INFO app [-] forged\r\u2028forged\x1b[2J"
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+) (?P<logger>\S+)"
    r" \[(?P<request_id>\S+)\] (?P<fields>(?:(?:method|route|status|duration)=\S+ )*)"
    r"(?P<message>.*)"
)
WITH_ID = b" HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: %b\r\n\r\n"
ADDED = """

import asyncio, logging, threading, warnings
from fastapi import WebSocket
from sqlalchemy import text
from app.database import Session
from fastapi.responses import StreamingResponse


class Unraisable:
    def __del__(self):
        raise RuntimeError("unraisable")


@app.get("/added/noise")
async def noise(text: str):
    warnings.warn(text)
    logging.getLogger("asyncio").error("%s", text)
    logging.getLogger("app.wrong").error("%d", text)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    Unraisable()
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)


@app.get("/added/fail")
async def fail(text: str):
    raise RuntimeError(text)


@app.get("/added/parts/{number}")
async def stream(number: int):
    async def parts():
        for _ in range(number):
            yield "part"
            await asyncio.sleep(0.01)
    return StreamingResponse(parts())


@app.get("/added/wait")
async def wait():
    logging.getLogger("app").info("waits")
    await asyncio.sleep(3600)


@app.post("/added/version/{number}")
async def add_version(number: str, session: Session):
    statement = "INSERT INTO alembic_version VALUES (:number)" if number == "0001" else number
    await session.execute(text(statement), {"number": number})


@app.websocket("/added/echo")
async def echo(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.receive_text()
"""
VARIANTS = [
    Variant("aiosqlite", "flat", "jwt"),
    nightly(Variant("asyncpg", "layered", "session")),
    nightly(Variant("psycopg", "by_feature", "none")),
    nightly(Variant("aiomysql", "layered", "jwt", rate_limits=True)),
    nightly(Variant("asyncmy", "flat", "none")),
]


@pytest.fixture(params=VARIANTS, ids=str, scope="module")
def served(
    rendered: Callable[[Variant], Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Service, str]]:
    """A service with further endpoints, and its database."""
    folder = tmp_path_factory.mktemp("logs") / "service"
    shutil.copytree(rendered(request.param), folder)
    replace(
        folder,
        "app/main.py",
        '\nif __name__ == "__main__":',
        f'{ADDED}\n\nif __name__ == "__main__":',
    )
    service = Service(folder, Path(sys.prefix))
    with database(service) as url:
        succeed_in(service, url, "alembic", "upgrade", "head")
        yield service, url


def entries(log: str, log_format: str) -> list[dict[str, Any]]:
    """The lines of a log; each must have the format."""
    if log_format == "json":
        return [json.loads(line) for line in log.splitlines()]
    found: list[dict[str, Any]] = []
    for line in log.splitlines():
        if line.startswith("  "):
            found[-1]["exception"] = f"{found[-1].get('exception', '')}{line[2:]}\n"
            continue
        match = LINE.fullmatch(line)
        assert match, line
        entry = match.groupdict()
        fields = dict(field.split("=", 1) for field in entry.pop("fields").split())
        found.append(entry | fields)
        for name in {"status", "duration"} & fields.keys():
            found[-1][name] = json.loads(fields[name])
    return found


def connected(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.client.base_url.port or 0), timeout=60)


def raw(running: Running, *parts: bytes, receive: bool = True) -> None:
    """Send a request, and close the connection after the first byte of a response."""
    with connected(running) as connection:
        connection.sendall(b"".join(parts))
        if receive:
            connection.recv(1)


def request_everything(running: Running) -> dict[str, tuple[str, str | None, int]]:
    """Send requests of all kinds; return method, route and status of each by its request ID."""
    expected: dict[str, tuple[str, str | None, int]] = {}

    def send(
        method: str, path: str, route: str | None, status: int, headers: Any = (), **options: Any
    ) -> str:
        request_id = f"{len(expected)}.{status}"
        headers = {"X-Request-ID": request_id, "Authorization": f"Basic {SECRET}", **dict(headers)}
        cookies = {"Cookie": f"session={SECRET}"}
        response = running.client.request(method, path, headers=headers | cookies, **options)
        assert response.status_code == status, response.text
        assert response.headers["X-Request-ID"] == request_id
        expected[request_id] = (method, route, status)
        return request_id

    query = {"text": FORGED, "token": SECRET}
    send("GET", "/added/noise", "/added/noise", 200, params=query)
    # Plain uvicorn closes the connection without telling the client.
    send("GET", "/added/fail", "/added/fail", 500, {"Connection": "close"}, params=query)
    send("HEAD", "/added/parts/2", "/added/parts/{number}", 200, params=query)
    send("GET", "/added/parts/2", "/added/parts/{number}", 200, params=query)
    send("GET", "/added/parts/x", "/added/parts/{number}", 422, params=query)
    send("GET", "/nowhere%0Aforged%20status=200", None, 404, params=query)
    send("GET", "/added/wait", None, 421, {"Host": "evil.example"})
    send("POST", "/health/live", "/health/live", 405, json={"password": SECRET})
    send("POST", "/added/wait", "/added/wait", 405, content=SECRET)
    send("OPTIONS", "/added/wait", "/added/wait", 405, {"Origin": "https://evil.example"})
    send("GET", "/health/ready", "/health/ready", 200)
    return expected


@contextmanager
def logging_server(service: Service, url: str, log_format: str, server: str) -> Iterator[Running]:
    port = str(free_port())
    program: tuple[str, ...] = ("-c", SERVE)
    if server == "uvicorn":
        options = (f"--port={port}", "--timeout-graceful-shutdown=1")
        program = ("-m", "uvicorn", "app.main:app", *options)
    with serving(
        service,
        url,
        program,
        port=port,
        log_format=log_format,
        log_level="DEBUG",
        shutdown_timeout=0,
        secret_key=SECRET,
    ) as running:
        yield running
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(30)  # plain uvicorn exits by the signal


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("server", ["main", nightly("uvicorn")])
def test_each_request_has_one_line_and_each_line_has_the_format(
    served: tuple[Service, str], log_format: str, server: str
) -> None:
    service, url = served
    with logging_server(service, url, log_format, server) as running:
        expected = request_everything(running)
        with running.client.websocket(f"/added/echo?token={SECRET}") as websocket:
            websocket.send_text(SECRET)
            assert websocket.receive_text() == SECRET
        raw(running, b"GET /added/parts/9999", WITH_ID % b"left")
        expected["left"] = ("GET", "/added/parts/{number}", 200)
        raw(running, b"GET /", SECRET.encode(), b" \r\n\r\n")
        eventually(lambda: all(f"{each}" in running.log for each in expected), lambda: running.log)
        waiting = connected(running)
        waiting.sendall(b"GET /added/wait" + WITH_ID % b"cancelled")
        raw(running, b"GET /added/wait", WITH_ID % b"left_early", receive=False)
        eventually(lambda: running.log.count("waits") == 2, lambda: running.log)
    if server == "main":
        response = waiting.recv(10_000)
        assert b" 503 " in response
        assert b"x-request-id: cancelled" in response
        expected["cancelled"] = ("GET", "/added/wait", 503)
        expected["left_early"] = ("GET", "/added/wait", 499)
    waiting.close()
    found = entries(running.log, log_format)
    assert SECRET not in running.log
    access = [entry for entry in found if entry["logger"] == "app.core.access_log"]
    by_id = {entry["request_id"]: entry for entry in access}
    assert len(by_id) == len(access)
    for request_id, (method, route, status) in expected.items():
        entry = by_id[request_id]
        assert (entry["method"], entry.get("route"), entry["status"]) == (method, route, status)
        assert 0 <= entry["duration"] < 60
        assert entry["level"] == ("DEBUG" if route == "/health/ready" else "INFO")
        assert entry["message"].endswith(", incomplete") is (request_id == "left")
    [websocket_entry] = [entry for entry in access if entry["method"] == "WebSocket"]
    assert (websocket_entry["route"], websocket_entry["status"]) == ("/added/echo", 101)
    assert websocket_entry["message"] == "WebSocket /added/echo from 127.0.0.1, closed with 1000"
    others = {entry["message"].partition("\\n")[0].partition("\n")[0]: entry for entry in found}
    for start in (
        "Started on ",
        "Started server process ",
        "Application shutdown complete.",
        "%d (logged with wrong arguments)",
        "Unhandled exception in Thread-",
        "Exception ignored in ",
        "Exception in callback ",
    ):
        assert any(message.startswith(start) for message in others), start
    assert any("UserWarning: " in message for message in others)
    bugs = [entry for entry in found if entry["message"] == "Exception in ASGI application"]
    [bug] = [entry for entry in bugs if entry["request_id"] == "1.500"]
    assert bug["route"] == "/added/fail"
    assert bug["exception"].startswith("Traceback (most recent call last):\n")
    assert "RuntimeError: " in bug["exception"]


def lines_of(
    service: Service, url: str, *command: str, exits_with: int = 0, **environment: object
) -> list[dict[str, Any]]:
    """The lines of a command in JSON."""
    variables = settings(url, {"log_format": "json", "secret_key": SECRET, **environment})
    result = service.run(str(python_of(service)), *command, **variables)
    assert result.returncode == exits_with, result.stdout
    assert SECRET not in result.stdout
    return entries(result.stdout, "json")


def test_each_line_of_a_migration_is_json(served: tuple[Service, str]) -> None:
    service, url = served
    alembic = ("-m", "alembic", "--quiet", "upgrade")
    lines = lines_of(service, url, *alembic, "head")
    assert {line["logger"] for line in lines} == {"alembic.runtime.migration"}
    [*_, line] = lines_of(service, url, *alembic, "nowhere", exits_with=255)
    assert line["message"] == "Can't locate revision identified by 'nowhere'"
    [line] = lines_of(service, url, *alembic, "head", exits_with=1, port="http")
    assert line["message"].startswith("PORT must be a valid integer")
    nowhere = f"{url.partition(':')[0]}://{{}}/name"
    nowhere = nowhere.format("/nowhere" if "sqlite" in url else f"user:{SECRET}@127.0.0.1:1")
    [line] = lines_of(service, nowhere, *alembic, "head", exits_with=1)
    assert (line["level"], line["logger"]) == ("CRITICAL", "app.core.log_setup")
    migration = write_migration(service.folder, "0002_failing.py", "op.execute('not SQL')")
    try:
        [*_, line] = lines_of(service, url, *alembic, "head", exits_with=1)
    finally:
        migration.unlink()
    assert (line["level"], line["message"]) == ("CRITICAL", "Unhandled exception")
    assert "not SQL" in line["exception"]


def test_lines_of_commands_are_json_beside_their_output(served: tuple[Service, str]) -> None:
    service, url = served
    if not (service.folder / "app" / "accounts.py").exists():
        return
    variables = settings(url, {"log_format": "json", "secret_key": SECRET})
    variables["SLOW_QUERY_SECONDS"] = "0.0000001"
    command = [str(python_of(service)), "-m", "app.accounts", "list-admins"]
    result = subprocess.run(
        command,
        cwd=service.folder,
        env=service.variables | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "No user has the role admin.\n"
    lines = entries(result.stderr, "json")
    assert {line["logger"] for line in lines} == {"app.core.slow_queries"}


def test_cause_of_an_error_response_is_found_by_its_request_id(served: tuple[Service, str]) -> None:
    service, url = served
    with serving(service, url, log_format="json", secret_key=SECRET) as running:
        response = running.client.post("/added/version/0001")
        assert (response.status_code, response.json()["code"]) == (409, "unique")
        bug = running.client.post("/added/version/not%20SQL")
        assert bug.status_code == 500
    lines = entries(running.log, "json")
    cause, access = (
        line for line in lines if line.get("request_id") == response.headers["X-Request-ID"]
    )
    assert cause["logger"] == "app.core.errors"
    assert re.match(r"unique \(\w+ \w+\): ", cause["message"])
    assert "version" in cause["message"] or "PRIMARY" in cause["message"]
    assert access["status"] == 409
    [bug_line] = [line for line in lines if "exception" in line]
    assert bug_line["request_id"] == bug.headers["X-Request-ID"]
    assert bug_line["route"] == "/added/version/{number}"
