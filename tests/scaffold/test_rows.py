"""Fields that are added to tables with rows."""

import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from harness.running import alembic, database, serving
from harness.services import Service
from harness.variants import ONE_EACH, Variant, named
from tests.scaffold.conftest import Owner

# Both names are SQL keywords, which databases accept only in quotes.
GROUP = ("name:str:unique", "order:int:sort", "project:ref")
FIELDS = (
    *(
        "title:str:optional",
        "body:text:optional",
        "size:int",
        "share:float",
        "fee:money:sort",
        "is_open:bool:filter",
    ),
    *("level:enum:low,very-high:filter", "values:json", "note:text:optional", "day:date:optional"),
    *("code:uuid:optional:unique", "parent:ref:group:optional", "tasks:refs"),
)
FILLED: dict[str, Any] = {
    **{"title": None, "body": "", "size": 0, "share": 0, "fee": "0.00", "is_open": False},
    **{"level": "low", "values": {}, "note": "", "day": None, "code": None, "parent_id": None},
    "task_ids": [],
}


@pytest.mark.nightly
@pytest.mark.parametrize("driver", ONE_EACH)
def test_rows_keep_their_values_and_fields_that_are_added_are_filled(
    owner_of: Callable[[Variant], Owner], driver: str, tmp_path: Path
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
        previous = Service(shutil.copytree(owner.folder, tmp_path / "previous"), Path(sys.prefix))
        owner.add("group", *FIELDS)
        alembic(service, url, "upgrade head", "check")
        with serving(previous, url) as running:
            body = {"name": "By the previous release", "order": 3, "project_id": project["id"]}
            rows.append(running.call("POST", "/api/v1/groups", body, status=201))
        with serving(service, url) as running:
            for row in rows:
                assert running.call("GET", f"/api/v1/groups/{row['id']}") == row | FILLED
            path = f"/api/v1/groups/{rows[0]['id']}"
            change = {"values": {"a": [1]}, "level": "very-high", "fee": "1.50"}
            assert running.call("PATCH", path, change)["version"] == 2
            found = running.call("GET", "/api/v1/groups?is_open=false&level=low&sort=fee")
            assert {row["id"] for row in found["items"]} == {row["id"] for row in rows[1:]}
        migrations = 4 if driver == "asyncpg" else 1
        alembic(service, url, f"downgrade -{migrations}")
        owner.add("group", "--undo", "--unapplied")
        with serving(service, url) as running:
            kept = running.call("GET", path)
            assert kept == rows[0] | {"version": 2, "updated_at": kept["updated_at"]}


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["asyncpg", "asyncpg-dev_sqlite"])
def test_migrations_on_postgresql_pass_the_check_of_the_service(
    owner_of: Callable[[Variant], Owner], name: str
) -> None:
    owner = owner_of(named(name))
    owner.add("group", *GROUP)
    owner.add("group", *FIELDS)
    found = sorted(path.stem for path in owner.folder.glob("migrations/versions/*groups*"))
    assert len(found) == 5, found
    for previous, name in pairwise(found):  # file names sort as the migrations run
        text = (owner.folder / "migrations" / "versions" / f"{name}.py").read_text()
        assert f'= "{previous.split("_")[1]}"\nbranch_labels' in text
    owner.run("pytest", "-q", "-p", "no:cacheprovider", "tests/core", "-k", "migration")
    owner.add("group", "--undo", "--unapplied")
    owner.add("group", "--undo", "--unapplied")
    assert owner.status() == ""


@pytest.mark.nightly
def test_migration_of_indexes_that_is_interrupted_runs_again(
    owner_of: Callable[[Variant], Owner],
) -> None:
    owner = owner_of(Variant("asyncpg"))
    service = Service(owner.folder, Path(sys.prefix))
    owner.add("group", *GROUP)
    owner.add("group", *FIELDS)
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    with database(service) as url:
        alembic(service, url, "upgrade +4")  # but for the indexes and the unique constraint
        connection = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        ).connect()
        with connection:
            connection.execute(text("BEGIN"))
            connection.execute(text("LOCK TABLE groups IN ROW EXCLUSIVE MODE"))
            command = ("uv", "run", "--no-sync", "alembic", "upgrade", "head")
            result = service.run(*command, DATABASE_URL=url, MIGRATION_LOCK_TIMEOUT="1")
            assert "Timed out waiting for a lock: CREATE INDEX CONCURRENTLY" in result.stdout
            connection.execute(text("COMMIT"))
            assert connection.scalar(text(invalid)) == 1
            alembic(service, url, "upgrade head", "check")
            assert connection.scalar(text(invalid)) == 0
            alembic(service, url, "downgrade -1", "upgrade head", "check")
            alembic(service, url, "downgrade -2", "upgrade head", "check")
            alembic(service, url, "downgrade base", "upgrade head", "check")
