"""The endpoints of a service, and the assertions that hold for all their responses."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Protocol, TypeVar

import httpx2
import jsonschema_rs

from tests.hostile import corpus
from tests.hostile.attacked import (
    MODEL_PASSWORD,
    PASSWORD,
    SECRET,
    Attacked,
    log_format,
    log_in,
    register,
)

# What no error response may contain.
SECRETS = re.compile(
    rf"{corpus.ECHO}|{PASSWORD}|{SECRET}|Traceback|sqlalchemy|asyncpg|psycopg|mysql|sqlite|"
    r"\b(SELECT|INSERT|UPDATE|DELETE) (\w+ )*(FROM|INTO|SET)\b|\.py\b|datetime\.",
    re.IGNORECASE,
)
PROBLEM = {"type", "title", "status", "detail", "code", "errors", "more_errors"}
T = TypeVar("T")
ENDS_LOGINS = {"delete_me", "log_out", "log_out_everywhere"}
# The most bytes of an error response, and characters of a line in the log.
MAX_ERROR_BYTES = 40_000
MAX_LINE = 2500
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+ \[\S+\] ")
numbers = count()


@dataclass
class Endpoint:
    """An operation of the OpenAPI document, on existing resources."""

    attacked: Attacked
    method: str
    path: str
    document: Any
    resources: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.document["operationId"])

    @property
    def url(self) -> str:
        return self.path.format(**self.resources)

    @property
    def parameters(self) -> list[str]:
        """The names of its query parameters."""
        parameters = self.document.get("parameters", [])
        return [each["name"] for each in parameters if each["in"] == "query"]

    @property
    def sorts(self) -> list[str]:
        [sort] = [each for each in self.document["parameters"] if each["name"] == "sort"]
        return list(sort["schema"]["enum"])

    @property
    def is_file(self) -> bool:
        return "text/csv" in self.document.get("requestBody", {}).get("content", {})

    @cached_property
    def body(self) -> Any:
        """A valid body; None without one, and for a file."""
        if "requestBody" not in self.document or self.is_file:
            return None
        [content] = self.document["requestBody"]["content"].values()
        schema = content["schema"]["$ref"].split("/")[-1]
        without_roles = self.attacked.issuer and schema == "UserAdminUpdate"
        text = json.dumps({"closed": False} if without_roles else corpus.BODIES[schema])
        for name, value in self.resources.items():
            text = text.replace(f"{{{name}}}", value)
        return json.loads(text)

    @property
    def accepted(self) -> bytes | None:
        """The content of a valid request, or None."""
        if self.is_file:
            return corpus.CSV_FILE
        return None if self.body is None else json.dumps(self.body).encode()

    def send(self, query: str = "", url: str = "", **content: Any) -> httpx2.Response:
        """Send a request and check its response."""
        url = (url or self.url) + (f"?{query}" if query else "")
        content["headers"] = self.headers | content.get("headers", {})
        response = self.attacked.request(self.method, url, **content)
        assert_harmless(response)
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", self.path), response.url.path):
            self.assert_documented(response)
        if response.is_success and self.method == "delete":
            self.resources = new_resources(self.attacked)
        if response.is_success and self.name in ENDS_LOGINS:
            self.headers = log_in(self.attacked)
        return response

    def assert_documented(self, response: httpx2.Response) -> None:
        described = describe(response)
        assert str(response.status_code) in self.document["responses"], described
        documented = self.document["responses"][str(response.status_code)]
        if "content" in documented:
            kind = response.headers["content-type"].partition(";")[0]
            content = documented["content"][kind]
            if "itemSchema" in content:  # events
                return
            components = self.attacked.document["components"]
            jsonschema_rs.validate({**content["schema"], "components": components}, response.json())
        else:
            assert not response.content, described


def endpoints_of(attacked: Attacked) -> list[Endpoint]:
    resources = new_resources(attacked)
    endpoints = [
        Endpoint(attacked, method, path, document, resources)
        for path, methods in attacked.document["paths"].items()
        for method, document in methods.items()
    ]
    for endpoint in endpoints:
        if endpoint.name in ENDS_LOGINS:
            endpoint.headers = log_in(attacked)
        if endpoint.method == "delete":
            endpoint.resources = new_resources(attacked)
    return endpoints


def new_resources(attacked: Attacked) -> dict[str, str]:
    """Create one resource of each kind; returns their IDs by the names of path parameters."""
    name = f"Resource {next(numbers)}"
    project = attacked.create("/projects", {"name": name})
    task = attacked.create(f"/projects/{project['id']}/tasks", {"title": name})
    station = attacked.create("/stations", {"name": name})
    sensor = attacked.create(f"/stations/{station['id']}/sensors", {"name": name, "unit": "m"})
    budget = attacked.create("/budgets", {"name": name, "credits": 1})
    prompt = attacked.create("/prompts", {"budget_id": budget["id"], "text": name})
    resources = {
        "project_id": project["id"],
        "task_id": task["id"],
        "station_id": station["id"],
        "sensor_id": sensor["id"],
        "budget_id": budget["id"],
        "prompt_id": prompt["id"],
    }
    if attacked.variant.jobs == "database":
        resources["job_id"] = finished_job(attacked, sensor["id"])
    if attacked.variant.auth != "none":
        resources["user_id"] = register(attacked)["id"]
    if attacked.variant.api_keys:
        attacked.request("DELETE", "/api/v1/api-keys")  # their number is limited
        resources["api_key_id"] = attacked.create("/api-keys", corpus.BODIES["ApiKeyCreate"])["id"]
    if attacked.variant.auth == "session":
        resources["session_id"] = further_login(attacked)
    return resources


def finished_job(attacked: Attacked, sensor_id: str) -> str:
    """Import a file and cancel that; returns the ID of the job, whose events end."""
    path = f"/api/v1/sensors/{sensor_id}/measurements/import"
    job_id = attacked.request("POST", path, content=corpus.CSV_FILE).json()["id"]
    attacked.request("POST", f"/api/v1/jobs/{job_id}/cancel")
    return str(job_id)


def further_login(attacked: Attacked) -> str:
    """Log the user in again; returns the ID of the login."""
    # Attacks change the address.
    email = attacked.request("GET", "/api/v1/users/me").json()["email"]
    body = {"email": email, "password": PASSWORD}
    attacked.running.client.post("/api/v1/auth/login", json=body).raise_for_status()
    logins = attacked.request("GET", "/api/v1/auth/sessions").json()
    return next(str(login["id"]) for login in logins if not login["current"])


def assert_harmless(response: httpx2.Response) -> None:
    """The response is not a server error, and an error is a problem without secrets."""
    described = describe(response)
    assert response.status_code < 500, described
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json", described
        assert len(response.content) <= MAX_ERROR_BYTES, described
        if response.request.method != "HEAD":
            assert response.json().keys() == PROBLEM
            assert response.json()["status"] == response.status_code
            assert not SECRETS.search(response.text), described


def assert_log_is_harmless(attacked: Attacked) -> None:
    """The log has its format, and no traceback, no secret, no query string and no long message."""
    log = attacked.running.log
    assert "Traceback" not in log
    assert not re.search(r"_[0-9a-f]{64}\b", log), "an API key"
    lines = log.splitlines()
    if log_format(attacked.variant) == "json":
        lines = [json.loads(line)["message"] for line in lines]
    else:
        assert all(map(LINE.match, lines))
    assert max(map(len, lines)) <= MAX_LINE
    for secret in secrets_of(attacked):
        assert secret not in log, secret


def assert_spans_are_harmless(attacked: Attacked) -> None:
    """No span since the last check has a secret."""
    exported = "".join(span.text for span in attacked.spans)
    attacked.spans.clear()
    for secret in secrets_of(attacked):
        assert secret not in exported, secret


def secrets_of(attacked: Attacked) -> list[str]:
    return [PASSWORD, SECRET, MODEL_PASSWORD, attacked.token or SECRET, corpus.QUERY_SECRET]


def describe(response: httpx2.Response) -> str:
    request = response.request
    return (
        f"{request.method} {str(request.url)[:500]} {request.content[:500]!r}\n"
        f"{response.status_code} {response.text[:1000]}"
    )


def places(value: Any) -> Iterator[tuple[Any, str]]:
    """The value with each of its parts replaced by `HOLE` in turn, and the kind of that part."""
    yield HOLE, kind_of(value)
    items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else []
    items = enumerate(value) if isinstance(value, list) else items
    for key, part in items:
        for hollow, kind in places(part):
            copy = value.copy()
            copy[key] = hollow
            yield copy, kind


HOLE = "<hole>"


class Choose(Protocol):
    """Chooses attacks for one place."""

    def __call__(self, attacks: Mapping[str, T]) -> list[T]: ...


def kind_of(value: Any) -> str:
    """The kind of a value: a key of `corpus.VALUES`."""
    if isinstance(value, int | float):
        return "number"
    if not isinstance(value, str):
        return "any"
    if re.fullmatch(r"[0-9a-f-]{36}", value):
        return "id"
    return "datetime" if value.startswith("20") else "text"
