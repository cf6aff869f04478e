"""Fields that are added to tables with rows."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.running import alembic, database, serving
from harness.services import Service
from harness.variants import ONE_EACH, Variant
from tests.scaffold.conftest import Owner

# Both names are SQL keywords, which databases accept only in quotes.
GROUP = ("name:str:unique", "order:int:sort", "project:ref")
FIELDS = (
    *("title:str", "body:text", "size:int", "share:float", "fee:money:sort", "is_open:bool:filter"),
    *("level:enum:low,very-high:filter", "values:json", "note:text:optional", "day:date:optional"),
    *("code:uuid:optional:unique", "parent:ref:group:optional", "tasks:refs"),
)
FILLED = {
    **{"title": "", "body": "", "size": 0, "share": 0, "fee": "0.00", "is_open": False},
    **{"level": "low", "values": {}, "note": "", "day": None, "code": None, "parent_id": None},
    "task_ids": [],
}


@pytest.mark.nightly
@pytest.mark.parametrize("driver", ONE_EACH)
def test_rows_keep_their_values_and_fields_that_are_added_are_filled(
    owner_of: Callable[[Variant], Owner], driver: str
) -> None:
    owner = owner_of(Variant(driver, "by_feature"))
    service = Service(owner.folder, Path(sys.prefix))
    owner.add("group", *GROUP)
    owner.commit()
    with database(service) as url:
        alembic(service, url, "upgrade head")
        with serving(service, url) as running:
            project = running.call("POST", "/api/v1/projects", {"name": "One"}, status=201)
            bodies: list[dict[str, Any]] = [
                {"name": f"Ä {number} 🚀", "order": number, "project_id": project["id"]}
                for number in range(3)
            ]
            rows = [running.call("POST", "/api/v1/groups", body, status=201) for body in bodies]
        owner.add("group", *FIELDS)
        alembic(service, url, "upgrade head", "check")
        with serving(service, url) as running:
            for row in rows:
                assert running.call("GET", f"/api/v1/groups/{row['id']}") == row | FILLED
            path = f"/api/v1/groups/{rows[0]['id']}"
            change = {"values": {"a": [1]}, "level": "very-high", "fee": "1.50"}
            assert running.call("PATCH", path, change)["version"] == 2
            found = running.call("GET", "/api/v1/groups?is_open=false&level=low&sort=fee")
            assert {row["id"] for row in found["items"]} == {row["id"] for row in rows[1:]}
        alembic(service, url, "downgrade -1")
        owner.add("group", "--undo", "--unapplied")
        with serving(service, url) as running:
            kept = running.call("GET", path)
            assert kept == rows[0] | {"version": 2, "updated_at": kept["updated_at"]}
