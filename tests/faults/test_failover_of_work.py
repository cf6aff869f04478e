"""Jobs, event streams and WebSockets while the primary is killed and its standby promoted."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from httpx2.websockets import HTTPXWSException, WebSocketDisconnect, WebSocketSession

from harness.load import started
from harness.rendering import render
from harness.running import Running, settings
from harness.servers import Server
from harness.standbys import Pair, primary_and_standby
from harness.waiting import eventually
from tests.faults.stack import Stack

JOBS = 100
# A job that runs for longer than the failover takes.
LONG_JOB = 1000
LONG_JOB_SECONDS = 8
TRY_AGAIN_LATER = 1013

WORKED = "kind = 'Work' AND state = 'succeeded'"
TICKED = "kind = 'Tick' AND state = 'succeeded'"
# A job names its project after its number.
NAMES = "SELECT CASE WHEN name ~ '^[0-9]+ ' THEN 'job' || name ELSE name END FROM projects"

WEBSOCKET = """
from fastapi import WebSocket  # noqa: E402


@app.websocket("/names")
async def names(websocket: WebSocket) -> None:
    await websocket.accept()
    async for name in websocket.iter_text():
        async with app.state.database.write.begin() as session:
            session.add(Project(name=name, description=""))
        await websocket.send_text(name)
"""


class Sender(threading.Thread):
    """Sends names through a WebSocket, and opens another one when it is closed."""

    def __init__(self, service: Running) -> None:
        super().__init__()
        self.address = service.client.base_url
        self.stopping = threading.Event()
        self.saved: set[str] = set()
        self.closed: Counter[object] = Counter()

    def run(self) -> None:
        with httpx2.Client(base_url=self.address, timeout=30) as client:
            while not self.stopping.is_set():
                try:
                    with client.websocket("/names") as websocket:
                        self._send(websocket)
                except WebSocketDisconnect as closed:
                    self.closed[closed.code] += 1
                except HTTPXWSException as error:
                    self.closed[repr(error)] += 1
                self.stopping.wait(0.1)

    def _send(self, websocket: WebSocketSession) -> None:
        while not self.stopping.wait(0.02):
            name = f"socket {uuid4()}"
            websocket.send_text(name)
            assert websocket.receive_text(timeout=30) == name
            self.saved.add(name)


class Watcher(threading.Thread):
    """Reads the events of a job until it has finished, as `EventSource` does."""

    def __init__(self, service: Running, job: object) -> None:
        super().__init__()
        self.url = service.client.base_url.join(f"/api/v1/jobs/{job}/events")
        self.text = ""

    def run(self) -> None:
        last = ""
        while True:
            headers = {"Last-Event-ID": last}
            with httpx2.stream("GET", self.url, headers=headers, timeout=60) as response:
                response.raise_for_status()
                if response.status_code == 204:
                    return
                for part in response.iter_text():
                    self.text += part
            last = self.text.rpartition("\nid: ")[2].partition("\n")[0]


@contextmanager
def worker(stack: Stack, url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `python -m app.worker`."""
    own = {"jobs_lease_seconds": 2, "tick_seconds": 1}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.worker"],
            cwd=stack.service.folder,
            env=stack.service.variables | settings(url, own),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def enqueue(service: Running, first: int, count: int, seconds: float) -> None:
    service.call("POST", f"/work?first={first}&count={count}&seconds={seconds}")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with primary_and_standby() as pair:
        pair.replicate_synchronously()
        yield pair


@pytest.mark.nightly
@pytest.mark.drivers("asyncpg", further=("psycopg",))
def test_jobs_streams_and_websockets_go_on_after_a_failover(
    driver: str,
    template: Path,
    tmp_path: Path,
    pair: Pair,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = pair.first, pair.second
    folder, log = tmp_path / "service", tmp_path / "worker.log"
    render(template, folder, driver=driver, sync_session=True, jobs="database")
    stack = Stack(driver, folder, first)
    main = folder / "app" / "main.py"
    main.write_text(main.read_text() + WEBSOCKET)
    first.create_database(stack.database)
    stack.migrate()

    def count(server: Server, what: str) -> int:
        [(found,)] = server.execute(f"SELECT count(*) FROM {what}", database=stack.database)
        return int(found)

    url = f"postgresql://{pair.address}/{stack.database}"
    with worker(stack, url, log) as process, stack.serving(url) as service:
        enqueue(service, LONG_JOB, 1, LONG_JOB_SECONDS)
        [(job,)] = stack.rows("SELECT id FROM outbox WHERE kind = 'Work'")
        watcher, sender = Watcher(service, job), Sender(service)
        watcher.start()
        enqueue(service, 0, JOBS // 2, 0.1)
        with started([sender], sender.stopping, 60), service.client.websocket("/names") as idle:
            eventually(lambda: '"running"' in watcher.text, log.read_text)
            eventually(lambda: len(sender.saved) > 20)
            eventually(lambda: count(first, f"outbox WHERE {TICKED}") > 0, log.read_text)
            eventually(lambda: count(first, f"outbox WHERE {WORKED}") > 5, log.read_text)
            first.kill()
            eventually(lambda: sender.closed)
            second.promote()
            before = count(second, f"outbox WHERE {TICKED}")
            enqueue(service, JOBS // 2, JOBS // 2, 0.1)
            idle.send_text("idle")
            assert idle.receive_text(timeout=30) == "idle"
            saved = len(sender.saved)
            eventually(lambda: len(sender.saved) > saved + 20)
        eventually(lambda: count(second, f"outbox WHERE {WORKED}") == JOBS + 1, log.read_text)
        eventually(lambda: count(second, f"outbox WHERE {TICKED}") > before + 1, log.read_text)
        watcher.join(60)
        assert '"succeeded"' in watcher.text, service.log
        assert process.poll() is None
        assert stack.checked_out(service) == 0
    names = {name for (name,) in second.execute(NAMES, database=stack.database)}
    runs = Counter(name.partition(" ")[0] for name in names if name.startswith("job"))
    with capsys.disabled():
        print(
            f"{driver}: {len(runs)} of {JOBS + 1} jobs run,"
            f" {sum(number > 1 for number in runs.values())} of them twice;"
            f" {len(sender.saved - names)} of {len(sender.saved)} names of WebSockets lost,"
            f" closed with {dict(sender.closed)}; {watcher.text.count('data:')} events,"
            f" {service.log.count('A stream cannot read its row')} reads of the stream failed"
        )
    assert len(runs) == JOBS + 1, log.read_text()
    assert sender.saved <= names
    assert sender.closed.keys() == {TRY_AGAIN_LATER}
    assert "Traceback" not in service.log + log.read_text()
