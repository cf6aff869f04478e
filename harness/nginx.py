"""nginx from packages of Debian, unpacked into a folder, in front of a service."""

import getpass
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from harness import debian
from harness.waiting import free_port, wait_until_served

RELEASE = "trixie"
# What is around the configuration of docs/operating.md.
MAIN = """\
daemon off;
user {user};
pid {folder}/pid;
error_log stderr info;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
{site}
}}
"""


def program() -> list[str]:
    root = debian.unpacked("nginx", RELEASE)
    return [*debian.loading(root), str(root / "usr" / "sbin" / "nginx")]


def version() -> str:
    result = subprocess.run([*program(), "-v"], capture_output=True, text=True, check=True)
    match = re.search(r"nginx/(\S+)", result.stderr)
    assert match, result.stderr
    return match[1]


class Nginx:
    def __init__(self, client: httpx2.Client, log: Path) -> None:
        self.client = client
        self.log_file = log

    @property
    def log(self) -> str:
        return self.log_file.read_text()


@contextmanager
def running_nginx(site: str, folder: Path) -> Iterator[Nginx]:
    """nginx with the servers of this configuration, which listen on port 80."""
    folder.mkdir()
    port = free_port()
    assert "listen 80;" in site
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    configuration, log = folder / "nginx.conf", folder / "log"
    configuration.write_text(MAIN.format(user=getpass.getuser(), folder=folder, site=site))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*program(), "-e", "stderr", "-p", str(folder), "-c", str(configuration)],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            wait_until_served(f"{client.base_url}/health/live", process, log)
            yield Nginx(client, log)
        finally:
            process.terminate()
            process.wait(30)
