"""Whether response times reveal unknown users: `python -m benchmarks.logins`.

One client sends unknown users and wrong passwords in turn to a service on SQLite. Prints the median
times, their ratio, and as noise the ratio of two halves of the same measurements.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx2

from benchmarks.contenders import UNLIMITED
from benchmarks.data import USER
from harness.rendering import export, render
from harness.running import serving, settings
from harness.services import Service

LOGINS = 100


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        template = export(Path(name, "template"))
        service = Service(render(template, Path(name, "service"), auth="jwt"), Path(sys.prefix))
        url = f"sqlite:///{name}/logins.db"
        migrate = [sys.executable, "-m", "alembic", "upgrade", "head"]
        service.succeed(*migrate, **settings(url, UNLIMITED))
        with serving(service, url, **UNLIMITED) as running:
            running.call("POST", "/api/v1/auth/register", USER, status=201)
            wrong, unknown = [], []
            for number in range(LOGINS):
                wrong.append(seconds(running.client, USER["email"]))
                unknown.append(seconds(running.client, f"nobody{number}@example.org"))
    print(f"wrong password {1000 * median(wrong):.1f} ms")
    print(f"unknown user {1000 * median(unknown):.1f} ms")
    print(f"ratio {median(unknown) / median(wrong):.3f}")
    print(f"noise {median(wrong[::2]) / median(wrong[1::2]):.3f}")


def seconds(client: httpx2.Client, email: str) -> float:
    began = perf_counter()
    form = {"username": email, "password": "wrong horse battery staple"}
    response = client.post("/api/v1/auth/token", data=form)
    assert response.status_code == 401, response.text
    return perf_counter() - began


if __name__ == "__main__":
    main()
