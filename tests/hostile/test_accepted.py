"""Whatever a write accepts can be read again: alone, in each list, and on each page of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.hostile.attacked import WITH_PASSWORDS, Attacked, log_in
from tests.hostile.endpoints import describe, new_resources
from tests.hostile.strategies import accepted, read, stored

API = "/api/v1"
# Path and schema to create a resource, path to read it, schema to change it, sort keys of the list.
RESOURCES = [
    ("/projects", "ProjectCreate", "/projects/{id}", "ProjectUpdate", ["created_at", "name"]),
    (
        "/projects/{project_id}/tasks",
        "TaskCreate",
        "/tasks/{id}",
        "TaskUpdate",
        ["created_at", "priority"],
    ),
    ("/stations", "StationCreate", "/stations/{id}", "StationUpdate", ["created_at", "name"]),
    ("/stations/{station_id}/sensors", "SensorCreate", "/sensors/{id}", None, []),
    ("/budgets", "BudgetCreate", None, None, ["created_at", "name"]),
    ("/prompts", "PromptCreate", "/prompts/{id}", None, []),
]


class Reader:
    """A client that writes generated values and reads them back."""

    def __init__(self, attacked: Attacked, examples: int) -> None:
        self.attacked = attacked
        self.examples = examples
        self.resources = new_resources(attacked)

    def each(self, *schemas: str) -> Callable[[Callable[..., None]], None]:
        """Call the function with many generated values of the schemas."""
        document = self.attacked.document
        strategies = [
            accepted(document["components"]["schemas"][each], document) for each in schemas
        ]

        def run(function: Callable[..., None]) -> None:
            limits = settings(
                max_examples=self.examples,
                derandomize=True,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            limits(given(*strategies)(function))()

        return run

    def write(self, method: str, path: str, schema: str, body: Any) -> dict[str, Any]:
        """Write a body, which the response must contain; skips values that are rejected."""
        response = self.attacked.request(method, f"{API}{path}", json=body)
        properties = self.attacked.document["components"]["schemas"][schema]["properties"]
        expected = {name: stored(properties[name], value) for name, value in body.items()}
        if "" in expected.values():
            assume(response.status_code != 422)  # only white space
        assume(response.status_code != 409)  # taken: some collations consider different names equal
        assert response.is_success, describe(response)
        row: dict[str, Any] = response.json()
        written = {name: read(properties[name], row[name]) for name in body}
        assert written == expected, describe(response)
        return row

    def get(self, path: str, **query: Any) -> Any:
        response = self.attacked.request("GET", f"{API}{path}", params=query)
        assert response.status_code == 200, describe(response)
        return response.json()

    def pages(self, path: str, **query: Any) -> list[Any]:
        """All rows of a list, in pages of one row."""
        rows: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=1, **query, **cursor)
            rows += page["items"]
            if page["next_cursor"] is None:
                return rows
            cursor = {"cursor": page["next_cursor"]}


@pytest.fixture
def reader(attacked: Attacked, everything: bool) -> Reader:
    return Reader(attacked, 100 if everything else 8)


@pytest.mark.parametrize(
    ("create", "new", "item", "change", "sorts"), RESOURCES, ids=[each[1] for each in RESOURCES]
)
def test_accepted_rows_can_be_read_changed_sorted_and_paged(
    reader: Reader, create: str, new: str, item: str | None, change: str | None, sorts: list[str]
) -> None:
    path = create.format(**reader.resources)
    rows = {row["id"]: row for row in reader.pages(path, sort=sorts[0])} if sorts else {}
    before = len(rows)

    @reader.each(new, change or new)
    def check(body: Any, changes: Any) -> None:
        if "budget_id" in body:
            body["budget_id"] = reader.resources["budget_id"]
        row = reader.write("POST", path, new, body)
        rows[row["id"]] = row
        if item is not None:
            assert reader.get(item.format(**row)).items() >= row.items()
        if item is not None and change is not None:
            row = reader.write("PATCH", item.format(**row), change, changes)
            rows[row["id"]] = row
            assert reader.get(item.format(**row)).items() >= row.items()

    assert len(rows) - before > reader.examples / 2
    for sort in sorts:
        found = reader.pages(path, sort=sort)
        assert {row["id"]: row for row in found} == rows
        assert len(found) == len(rows)
        assert reader.pages(path, sort=f"-{sort}") == found[::-1]


def test_accepted_measurements_can_be_read_and_aggregated(reader: Reader) -> None:
    path = f"/sensors/{reader.resources['sensor_id']}/measurements"
    rows = {}

    @reader.each("MeasurementBatch")
    def check(body: Any) -> None:
        response = reader.attacked.request("POST", f"{API}{path}", json=body)
        assume(response.status_code != 409)  # two measurements with the same timestamp
        assert response.status_code == 201, describe(response)
        for row in body["measurements"]:
            timestamp = stored({"format": "date-time"}, row["measured_at"])
            rows[timestamp] = row["value"]
            [found] = reader.pages(
                path,
                since=row["measured_at"],
                until=(timestamp + timedelta(microseconds=1)).isoformat(),
            )
            assert found["value"] == row["value"]

    found = reader.pages(path, sort="measured_at")
    timestamps = [read({"format": "date-time"}, row["measured_at"]) for row in found]
    assert timestamps == sorted(rows)
    assert [row["value"] for row in found] == [rows[timestamp] for timestamp in timestamps]
    assert reader.pages(path, sort="-measured_at") == found[::-1]
    statistics = reader.get(path.replace("measurements", "statistics"))
    assert statistics["count"] == len(rows)
    assert (statistics["minimum"], statistics["maximum"]) == (
        min(rows.values()),
        max(rows.values()),
    )


def test_accepted_tasks_can_be_filtered_and_counted_by_status(reader: Reader) -> None:
    path = f"/projects/{reader.resources['project_id']}/tasks"

    @reader.each("TaskCreate")
    def check(body: Any) -> None:
        reader.write("POST", path, "TaskCreate", body)

    rows = reader.pages(path)
    by_status = [reader.pages(path, status=status) for status in ("todo", "doing", "done")]
    assert sum(map(len, by_status)) == len(rows)
    summary = reader.get(path.replace("/tasks", "/summary"))
    assert list(summary["by_status"].values()) == [len(found) for found in by_status]


def test_accepted_changes_of_a_user_can_be_read(reader: Reader) -> None:
    if reader.attacked.variant.auth not in WITH_PASSWORDS:
        assert "patch" not in reader.attacked.document["paths"].get("/api/v1/users/me", {})
        return
    reader.attacked = replace(reader.attacked, headers=log_in(reader.attacked))

    @reader.each("UserUpdate")
    def check(changes: Any) -> None:
        row = reader.write("PATCH", "/users/me", "UserUpdate", changes)
        assert reader.get("/users/me") == row
