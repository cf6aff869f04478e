"""The services of presets/, each rendered from its preset and used like the real one."""

import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.language_models import fake_language_model
from harness.rendering import ROOT, render
from harness.running import database, run_in, serving, succeed_in
from harness.services import InEnvironment, Service
from harness.waiting import eventually


@pytest.fixture
def system(
    template: Path, tmp_path: Path, in_environment: InEnvironment, request: pytest.FixtureRequest
) -> Service:
    """The service of the preset that is named after the test."""
    name = request.node.originalname.removeprefix("test_")
    answers = yaml.safe_load((ROOT / "presets" / f"{name}.yml").read_text())
    return in_environment(render(template, tmp_path / "service", **answers))


def add_endpoint(service: Service, code: str) -> None:
    """Add an endpoint to the entry point, as the owner of the service might."""
    path = service.folder / "app" / "main.py"
    path.write_text(path.read_text() + code)


LEGACY = """

from app.models import Project  # noqa: E402
from app.sync_database import SyncSession  # noqa: E402


@app.get("/legacy/names")
{kind} legacy_names(session: SyncSession) -> list[str]:
    return [project.name for project in session.query(Project)]
"""
SCRIPT = """
from app.models import Project
from app.sync_database import sync_session_scope

with sync_session_scope() as session:
    session.add(Project(name="From a script", description=""))
"""


@pytest.mark.nightly
def test_dual_mode(system: Service) -> None:
    add_endpoint(system, LEGACY.format(kind="def"))
    with database(system) as url:
        succeed_in(system, url, "alembic", "upgrade", "head")
        succeed_in(system, url, "python", "-c", SCRIPT)
        with serving(system, url) as service:
            project = service.call("POST", "/api/v1/projects", {"name": "By the API"}, status=201)
            assert service.call("GET", "/legacy/names") == ["From a script", project["name"]]
            assert service.call("GET", "/health/ready") == {"status": "ok"}
            assert service.call("GET", "/health/pool")["all"]["size"] == 15
            assert re.search(
                r"Started on postgresql 18\.\d+ through asyncpg \(async\);"
                r" pool: 15 \(all\); schema: 0001, current",
                service.log,
            )
    own = "tests/test_sync_database.py"
    system.uv_run("pytest", "-q", own)
    main = system.folder / "app" / "main.py"
    main.write_text(main.read_text().replace("def legacy_names", "async def legacy_names"))
    refused = system.uv_run_failing("pytest", "-q", own)
    assert re.search(r"app/main.py:\d+: legacy_names uses SyncSession", refused)


@pytest.mark.nightly
def test_language_models(system: Service, tmp_path: Path) -> None:
    models = system.folder / "app" / "models"
    assert {"budget.py", "prompt.py", "answer.py"} <= {f.name for f in models.iterdir()}
    with database(system) as url, fake_language_model(tmp_path) as models_url:
        variables = {"assistant_url": models_url, "assistant_models": ["one", "two"]}
        system.variables |= {"ASSISTANT_URL": models_url, "ASSISTANT_MODELS": '["one", "two"]'}
        succeed_in(system, url, "alembic", "upgrade", "head")
        with serving(
            system,
            url,
            database_pool_size=5,
            database_pool_timeout=10,
            assistant_concurrency=300,
            **variables,
        ) as service:
            assert "mariadb" in service.log
            budgets = [
                service.call("POST", "/api/v1/budgets", {"name": name, "credits": 200}, status=201)
                for name in ("Research", "Travel")
            ]
            prompts = [
                service.call(
                    "POST",
                    "/api/v1/prompts",
                    {"budget_id": budgets[0]["id"], "text": "Why?"},
                    status=201,
                )
                for _ in range(100)
            ]

            def ask(prompt: dict[str, Any]) -> int:
                response = service.client.post(f"/api/v1/prompts/{prompt['id']}/answers")
                return response.status_code

            def transfer(number: int) -> int:
                source, target = budgets if number % 2 else reversed(budgets)
                body = {"source_id": source["id"], "target_id": target["id"], "credits": 1}
                return service.client.post("/api/v1/budgets/transfers", json=body).status_code

            with ThreadPoolExecutor(100) as threads:
                assert Counter(threads.map(ask, prompts)) == {201: 100}
                # The first budget is used up, so some of these transfers must fail.
                statuses = Counter(threads.map(transfer, range(40)))
            assert set(statuses) <= {200, 409}
            left = service.call("GET", "/api/v1/budgets")["items"]
            assert sum(budget["credits"] for budget in left) == 200
            assert all(budget["credits"] >= 0 for budget in left)
            [first, second] = service.call("GET", f"/api/v1/prompts/{prompts[0]['id']}")["answers"]
            assert (first["text"], second["text"]) == ("one says yes", "two says yes")
            pool = service.call("GET", "/health/pool")["write"]
            assert (pool["size"], pool["checked_out"]) == (5, 0)
            assert pool["waits"] > 0


@pytest.mark.nightly
def test_measurements(system: Service) -> None:
    modules = {path.name for path in (system.folder / "app").glob("*.py")}
    assert {"database.py", "models.py", "crud.py", "schemas.py", "main.py"} <= modules
    with database(system) as url:
        unmigrated = run_in(system, url, "python", "-m", "app.core.check_database")
        assert unmigrated.returncode == 1
        assert "Run `alembic upgrade head`." in unmigrated.stdout
        assert f"Run `chmod 600 {system.folder / '.env'}`." in unmigrated.stdout
        (system.folder / ".env").chmod(0o600)
        unreachable = run_in(
            system,
            "postgresql://ada:secret@127.0.0.1:1/x",
            "python",
            "-m",
            "app.core.check_database",
        )
        assert unreachable.returncode == 1
        assert "Start the server" in unreachable.stdout
        assert "secret" not in unreachable.stdout
        succeed_in(system, url, "alembic", "upgrade", "head")
        findings = succeed_in(system, url, "python", "-m", "app.core.check_database")
        steps = ["URL", "Connection", "Schema", "Writing"]
        assert [line.split(":")[0] for line in findings.splitlines()] == steps
        with serving(system, url) as service:
            station = service.call("POST", "/api/v1/stations", {"name": "Pier"}, status=201)
            sensor = service.call(
                "POST",
                f"/api/v1/stations/{station['id']}/sensors",
                {"name": "Water", "unit": "°C"},
                status=201,
            )
            batch = [
                {"measured_at": f"2030-01-01T00:{n // 60:02}:{n % 60:02}Z", "value": n / 10}
                for n in range(1000)
            ]
            path = f"/api/v1/sensors/{sensor['id']}"
            body = {"measurements": batch}
            created = service.call("POST", f"{path}/measurements", body, status=201)
            assert created == {"created": 1000}
            statistics = service.call("GET", f"{path}/statistics")
            assert (statistics["count"], statistics["maximum"]) == (1000, 99.9)
            shown = service.call("GET", f"/api/v1/stations/{station['id']}")
            assert [each["name"] for each in shown["sensors"]] == ["Water"]
            malformed = service.call("GET", "/api/v1/sensors/first", status=422)
            assert malformed["errors"][0]["loc"] == ["path", "sensor_id"]
            assert "valid UUID" in malformed["errors"][0]["msg"]


@pytest.mark.nightly
def test_developed_on_sqlite(system: Service) -> None:
    environment = (system.folder / ".env").read_text()
    assert "DATABASE_URL=sqlite:///my_service.db" in environment
    file = system.folder / "my_service.db"
    names = {}
    with database(system, "postgresql") as production:
        for kind, url in (("sqlite", f"sqlite:///{file.name}"), ("postgresql", production)):
            succeed_in(system, url, "alembic", "upgrade", "head")
            succeed_in(system, url, "alembic", "check")
            with serving(system, url) as service:
                assert f"Started on {kind} " in service.log
                service.call("POST", "/api/v1/projects", {"name": f"On {kind}"}, status=201)
                service.call("POST", "/api/v1/projects", {"name": f"On {kind}"}, status=409)
                items = service.call("GET", "/api/v1/projects")["items"]
                names[kind] = [item["name"] for item in items]
    assert names == {"sqlite": ["On sqlite"], "postgresql": ["On postgresql"]}
    with sqlite3.connect(file) as development:
        assert development.execute("SELECT name FROM projects").fetchall() == [("On sqlite",)]
    output = system.uv_run("pytest", "-v", "tests/test_projects.py", "-k", "name_is_unique")
    for kind in ("sqlite", "postgresql"):
        assert f"test_name_is_unique[{kind}] PASSED" in output
    guide = (system.folder / "docs" / "database.md").read_text()
    assert "## What SQLite will not catch" in guide


LARGE_ACCOUNT = """
import asyncio
from sqlalchemy import text
from app.core.configuration import read_settings
from app.database import Database

async def add_triggers() -> None:
    database = Database(read_settings())
    async with database.write.begin() as session:
        await session.execute(text(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(60); RETURN OLD; END'"
        ))
        await session.execute(text(
            "CREATE TRIGGER wait BEFORE DELETE ON users FOR EACH ROW"
            " WHEN (OLD.email = 'large@example.org') EXECUTE FUNCTION wait()"
        ))
    await database.dispose()

asyncio.run(add_triggers())
"""
BLOCKING = """

@app.get("/slow")
async def slow() -> int:
    async with app.state.database.read() as session:
        return await session.scalar(select(func.count()).select_from(text("pg_sleep(0.3)"))) or 0


from sqlalchemy import func, select, text  # noqa: E402
"""
SYNCHRONOUS = """
import time
from fastapi import Depends
from sqlalchemy.orm import Session

async def list_users(db: Session = Depends(get_db)):
    time.sleep(1)
    return db.query(User).all()
"""


def test_large_backend(system: Service, tmp_path: Path) -> None:
    add_endpoint(system, BLOCKING)
    system.variables["SECRET_KEY"] = "a secret that only the tests have"
    purge = {
        "purge_after_days": 0,
        "purge_every_minutes": 0.005,
        "database_statement_timeout": 2,
        "registrations_per_address": 1000,
    }
    ada = {"email": "ada@example.org", "name": "Ada", "password": "correct horse battery staple"}
    with database(system) as url:
        succeed_in(system, url, "alembic", "upgrade", "head")
        succeed_in(system, url, "python", "-c", LARGE_ACCOUNT)
        with (
            serving(system, url, slow_query_seconds=0.2, **purge) as one,
            serving(system, url, **purge) as other,
        ):
            # An account that cannot be deleted in time does not block the purge of the next one.
            for account in (ada | {"email": "large@example.org"}, ada):
                one.call("POST", "/api/v1/auth/register", account, status=201)
                form = {"username": account["email"], "password": account["password"]}
                token = one.client.post("/api/v1/auth/token", data=form).json()["access_token"]
                one.client.headers["Authorization"] = f"Bearer {token}"
                one.call("DELETE", "/api/v1/users/me", status=204)
                one.call("GET", "/api/v1/users/me", status=401)
            # The address is free again once a replica has purged the account.
            eventually(
                lambda: other.client.post("/api/v1/auth/register", json=ada).status_code == 201,
                lambda: one.log + other.log,
            )
            assert re.search(r"Closed account \S+ was not deleted", one.log + other.log)
            one.call("GET", "/slow")
            assert re.search(r"\d\.\d{3} s in GET /slow: SELECT count", one.log)
            assert "GET /slow" not in other.log
            pool = one.call("GET", "/health/pool")["all"]
            assert {"checked_out", "overflow", "waiting", "waits"} < set(pool)
            for replica in (one, other):
                replica.stop()
                assert "Application shutdown complete" in replica.log
                assert "Traceback" not in replica.log
    (tmp_path / "old.py").write_text(SYNCHRONOUS)
    audit = [sys.executable, str(ROOT / "tools" / "audit_async"), "--json", "old.py"]
    result = subprocess.run(audit, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    findings = json.loads(result.stdout)
    rules = {finding["rule"] for finding in findings}
    assert {"sync-query", "blocking-call"} <= rules
