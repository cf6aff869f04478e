"""A service behind a proxy, on all addresses, below a path prefix: the requests of an attacker."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from harness.running import database, serving, settings, succeed_in
from harness.services import Service
from harness.variants import Variant
from harness.waiting import free_port, wait_until_served

LIMITS = {"login_attempts": 1000, "login_attempts_per_address": 2}
PREFIX = "/stock"


@pytest.fixture(scope="module")
def migrated(
    rendered: Callable[[Variant], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, str]]:
    service = Service(rendered(Variant("aiosqlite", auth="jwt", examples=())), Path(sys.prefix))
    with database(service) as url:
        succeed_in(service, url, "alembic", "upgrade", "head")
        yield service, url


def statuses_of_logins(url: str) -> list[int]:
    """The statuses of login attempts that claim to come from different addresses."""
    return [
        httpx2.post(
            f"{url}/api/v1/auth/token",
            data={"username": f"{number}@example.org", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.1.1.{number}"},
        ).status_code
        for number in range(3)
    ]


def assert_is_served_below_prefix(url: str) -> None:
    """The proxy removes the prefix; probes do not pass it, and use an address as the host."""
    probe = httpx2.get(f"{url}/health/ready", headers={"Host": "10.0.0.5"})
    assert probe.status_code == 200, probe.text
    assert f"'{PREFIX}/openapi.json'" in httpx2.get(f"{url}/docs").text
    assert httpx2.get(f"{url}/openapi.json").json()["servers"] == [{"url": PREFIX}]


def test_no_client_chooses_its_address_and_a_hangup_is_graceful(
    migrated: tuple[Service, str],
) -> None:
    service, url = migrated
    hosts = ["127.0.0.1", "[::1]"]
    changes = {"listen_address": "::", "root_path": PREFIX, "docs": "true", "allowed_hosts": hosts}
    with serving(service, url, **changes, **LIMITS) as running:
        port = running.client.base_url.port
        for host in hosts:
            assert statuses_of_logins(f"http://{host}:{port}") == [401, 401, 429]
            assert_is_served_below_prefix(f"http://{host}:{port}")
        assert "10.1.1." not in running.log
        running.process.send_signal(signal.SIGHUP)
        assert running.process.wait(30) == 0
        assert "Application shutdown complete" in running.log


@pytest.mark.nightly
def test_no_client_chooses_its_address_under_plain_uvicorn(
    migrated: tuple[Service, str], tmp_path: Path
) -> None:
    """With the options in docs/operating.md."""
    service, url = migrated
    port, log = free_port(), tmp_path / "log"
    options = ["--no-proxy-headers", f"--root-path={PREFIX}", f"--port={port}"]
    # Another key, with which attempts are counted apart from those of other tests.
    limits = LIMITS | {"docs": "true", "secret_key": "k" * 40}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app.main:app", *options],
            cwd=service.folder,
            env=service.variables | settings(url, limits),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_until_served(f"http://127.0.0.1:{port}/health/live", process, log)
            assert statuses_of_logins(f"http://127.0.0.1:{port}") == [401, 401, 429]
            assert_is_served_below_prefix(f"http://127.0.0.1:{port}")
        finally:
            process.kill()
