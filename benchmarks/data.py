"""The rows for all contenders, created through the API of the service."""

from dataclasses import dataclass
from typing import Any

import httpx2

PROJECTS = 40
TASKS = 20
USER = {"email": "ada@example.org", "name": "Ada", "password": "correct horse battery staple"}
API = "/api/v1"


@dataclass(frozen=True)
class Data:
    """The IDs of a project, of one of its tasks, and of a project for new tasks."""

    project: str
    task: str
    written: str


def log_in(client: httpx2.Client) -> dict[str, str]:
    """Log in; returns the headers of further requests."""
    form = {"username": USER["email"], "password": USER["password"]}
    response = client.post(f"{API}/auth/token", data=form).raise_for_status()
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def seed(address: str, *, accounts: bool) -> Data:
    """Create projects with tasks; with accounts, of a new user."""
    with httpx2.Client(base_url=address, timeout=60) as client:
        if accounts:
            client.post(f"{API}/auth/register", json=USER).raise_for_status()
            client.headers.update(log_in(client))

        def create(path: str, body: Any) -> Any:
            return client.post(f"{API}/{path}", json=body).raise_for_status().json()

        tasks = {"tasks": [{"title": f"Task {number}"} for number in range(TASKS)]}
        written = create("projects", {"name": "Written to"})["id"]
        project = task = ""
        for number in range(PROJECTS):
            body = {"name": f"Project {number}", "description": "What is to be done here"}
            project = create("projects", body)["id"]
            task = create(f"projects/{project}/tasks/batch", tasks)[0]["id"]
    return Data(project, task, written)
