"""A Docker engine of its own for tests, which leaves nothing behind.

It runs in its own namespaces of processes, mounts and networks, which end with it. Containers reach
package registries through slirp4netns; ports are published inside the namespace only.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from harness.commands import succeed
from harness.docker_programs import environment
from harness.waiting import eventually

SECONDS_PER_COMMAND = 900
SECONDS_TO_STOP = 60
# The address at which slirp4netns answers DNS queries with the resolver of this machine.
DNS = "10.0.2.3"
# Kills a process when the process that started it ends.
DIES_WITH_TESTS = ("setpriv", "--pdeathsig", "KILL", "--")

REQUEST = """
import sys, httpx2

method, url, body, media_type = sys.argv[1:]
headers = {"Content-Type": media_type}
response = httpx2.request(method, url, content=body, headers=headers, timeout=60)
print(response.status_code, response.text)
"""


class Engine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cgroup = f"tests-{uuid4().hex[:8]}"
        self.log = folder / "log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.variables = {
            **os.environ,
            **environment(),
            "DOCKER_HOST": f"unix://{folder / 'socket'}",
        }

    def start(self) -> None:
        self._spawn(
            *("unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--net"),
            *("tini", "--", "dockerd"),
            *("--data-root", str(self.folder / "data")),
            *("--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "pid")),
            *("--host", f"unix://{self.folder / 'socket'}"),
            *("--exec-opt", "native.cgroupdriver=cgroupfs"),
            *("--cgroup-parent", f"/{self.cgroup}"),
            *("--oom-score-adjust", "0"),
            *("--dns", DNS),
        )
        eventually(self._is_up, self.log.read_text, seconds=60)
        self._spawn(
            *("slirp4netns", "--configure", "--mtu", "1500", "--disable-host-loopback"),
            *(str(self._dockerd().pid), "tap0"),
        )
        routes = (*self._in_namespace, "ip", "route")
        eventually(
            lambda: b"tap0" in subprocess.run(routes, capture_output=True, check=True).stdout,
            self.log.read_text,
        )

    def _spawn(self, *command: str) -> None:
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [*DIES_WITH_TESTS, *command],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self.processes.append(process)

    def _is_up(self) -> bool:
        assert self.processes[0].poll() is None, self.log.read_text()
        command = ["docker", "version"]
        result = subprocess.run(command, env=self.variables, capture_output=True, check=False)
        return result.returncode == 0

    def _dockerd(self) -> psutil.Process:
        children = psutil.Process(self.processes[0].pid).children(recursive=True)
        [found] = [child for child in children if child.name() == "dockerd"]
        return found

    @property
    def _in_namespace(self) -> tuple[str, ...]:
        return ("nsenter", f"--net=/proc/{self._dockerd().pid}/ns/net")

    def stop(self) -> None:
        """Stop the engine and its containers; what does not stop is killed with its namespaces."""
        if not self.processes:
            return
        namespaces, *others = self.processes
        if namespaces.poll() is None:
            with suppress(ValueError, psutil.NoSuchProcess):  # no dockerd
                self._dockerd().send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    namespaces.wait(SECONDS_TO_STOP)
        for process in (namespaces, *others):
            process.kill()
            process.wait()
        for group in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}"):
            for folder in sorted(group.glob("**/"), reverse=True):
                folder.rmdir()

    def docker(self, *arguments: str, folder: Path | None = None) -> str:
        """Run a docker command that must succeed, and return its output."""
        return self.run("docker", *arguments, folder=folder)

    def run(self, *command: str, folder: Path | None = None, **variables: str) -> str:
        """Run a command that uses the engine and must succeed, and return its output."""
        return succeed(
            *command, cwd=folder, env=self.variables | variables, timeout=SECONDS_PER_COMMAND
        )

    def inspect(self, thing: str) -> dict[str, Any]:
        """What Docker knows about an image or a container."""
        [found] = json.loads(self.docker("inspect", thing))
        assert isinstance(found, dict)
        return found

    def request(
        self, method: str, url: str, body: Any = None, media_type: str = "application/json"
    ) -> tuple[int, Any]:
        """The status and the body of the response to a request to a published port.

        The body of the request is JSON, or a string of another media type.
        """
        if media_type == "application/json":
            body = "" if body is None else json.dumps(body)
        printed = subprocess.run(
            [*self._in_namespace, sys.executable, "-c", REQUEST, method, url, body, media_type],
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS_PER_COMMAND,
            check=True,
        ).stdout
        status, text = printed.split(" ", 1)
        return int(status), json.loads(text)

    @property
    def version(self) -> str:
        engine = self.docker("version", "--format", "{{.Server.Version}}").strip()
        compose = self.docker("compose", "version", "--short").strip()
        return f"{upstream(engine)}, Compose {upstream(compose)}"


def upstream(version: str) -> str:
    """Return a version without what Debian adds to it."""
    return re.split(r"[+~-]", version)[0]


@contextmanager
def running_engine() -> Iterator[Engine]:
    """A running engine without images."""
    # Not in pytest's folder: the path of a socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="docker-"))
    engine = Engine(folder)
    try:
        engine.start()
        yield engine
    finally:
        try:
            engine.stop()
        finally:
            shutil.rmtree(folder)
