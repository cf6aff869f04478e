"""Prometheus from a package of Debian, unpacked into a folder."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from harness import debian
from harness.waiting import free_port, wait_until_served


def unpack(folder: Path) -> None:
    """Unpack the package alone: its programs need no library but libc."""
    folder.mkdir()
    result = subprocess.run(
        "apt-get download prometheus && dpkg -x prometheus_*.deb .",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(
            "Prometheus could not be unpacked; try it on a Debian machine:"
            f" apt-get download prometheus\n{result.stderr}"
        )


def program(name: str) -> str:
    """Return the path of `prometheus` or `promtool`."""
    return str(debian.kept("prometheus", unpack) / "usr" / "bin" / name)


def version() -> str:
    command = [program("prometheus"), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2]


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        response = httpx2.get(f"{self.url}/api/v1/{path}", params=parameters)
        assert response.is_success, response.text
        return response.json()["data"]

    def query(self, expression: str) -> list[Any]:
        """The current value of an expression for each set of labels."""
        return list(self.get("query", query=expression)["result"])


@contextmanager
def running_prometheus(configuration: Path, data: Path) -> Iterator[Prometheus]:
    """Prometheus with this configuration."""
    address = f"127.0.0.1:{free_port()}"
    data.mkdir()
    log = data / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address={address}",
            ],
            cwd=data,
            stdout=output,
            stderr=output,
        )
    try:
        prometheus = Prometheus(f"http://{address}")
        wait_until_served(f"{prometheus.url}/-/ready", process, log)
        yield prometheus
    finally:
        process.terminate()
        process.wait(30)
