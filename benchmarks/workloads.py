"""The requests of each workload, the same for all contenders."""

import json
from urllib.parse import urlencode

from benchmarks.data import API, USER, Data
from benchmarks.load import Request

READ, LIST, WITH_TASKS = "read one", "list 20", "project with 20 tasks"
SUMMARY, CREATE, BATCH = "JOIN and aggregate", "create one", "batch of 100"
BUILT = "read one, statement built in the endpoint"
UNCHANGED = "read one, 304"
AUTHENTICATED = "read one, authenticated"
MIXED, LOGIN = "read, 200 ms elsewhere, write", "log in"


def workloads(data: Data) -> dict[str, Request]:
    """The workloads by name; workloads that write come last."""
    tasks = json.dumps({"tasks": [{"title": f"Task {number}"} for number in range(100)]})
    return {
        READ: Request("GET", f"{API}/tasks/{data.task}"),
        LIST: Request("GET", f"{API}/projects?limit=20"),
        WITH_TASKS: Request("GET", f"{API}/projects/{data.project}"),
        SUMMARY: Request("GET", f"{API}/projects/{data.project}/summary"),
        CREATE: Request("POST", f"{API}/projects", '{"name": "@"}'),
        BATCH: Request("POST", f"{API}/projects/{data.written}/tasks/batch", tasks),
    }


def built(data: Data) -> Request:
    return Request("GET", f"{API}/tasks/{data.task}/built")


def unchanged(data: Data) -> Request:
    return Request("GET", f"{API}/tasks/{data.task}", headers={"If-None-Match": "*"})


def mixed(data: Data) -> Request:
    return Request("POST", f"{API}/projects/{data.written}/mixed")


def login() -> Request:
    form = urlencode({"username": USER["email"], "password": USER["password"]})
    content = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", f"{API}/auth/token", form, content)
