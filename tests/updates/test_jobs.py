"""The update that adds background jobs, by a migration."""

import shutil
from pathlib import Path

import pytest

from harness.parts import nightly
from harness.projects import Project, Template
from harness.running import alembic, database, serving
from harness.services import InEnvironment
from harness.variants import DRIVERS
from harness.waiting import eventually
from tests.updates import owner
from tests.updates.deployments import (
    include_own_router,
    log_in,
    register,
    serving_previous,
    updated_copy,
)

OWN = '''"""A job of the owner."""

from app.core.outbox import BackgroundJob, JobContext


class Count(BackgroundJob):
    number: int

    async def run(self, _: JobContext) -> dict[str, int]:
        return {"next": self.number + 1}
'''
ENDPOINTS = '''"""Endpoints of the owner."""

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select

from app.core.outbox import OutboxJob, enqueue
from app.counting import Count
from app.database import ReadSession, Session

own_router = APIRouter()


@own_router.post("/counts")
async def count(session: Session, number: int) -> UUID:
    return await enqueue(session, Count(number=number))


@own_router.get("/counts")
async def list_counts(session: ReadSession) -> list[int]:
    results = await session.scalars(select(OutboxJob.result).where(OutboxJob.kind == "Count"))
    return [result["next"] for result in results if result]
'''


def add_own_job(project: Project) -> None:
    (project.folder / "app" / "counting.py").write_text(OWN)
    (project.folder / "app" / "counts.py").write_text(ENDPOINTS)
    include_own_router(project, "app.counts")
    project.replace(
        "app/jobs.py",
        "from app.core.outbox",
        "from app.counting import Count\nfrom app.core.outbox",
    )
    project.replace("app/jobs.py", "    # Your own", "    Count,\n    # Your own")


@pytest.mark.parametrize(
    ("version", "driver", "auth"),
    [
        ("2.6.0", "aiosqlite", "none"),
        *(nightly("1.0.0", driver, auth) for driver in DRIVERS for auth in ("none", "jwt")),
        *(nightly("2.6.0", driver, "jwt") for driver in DRIVERS),
        *(nightly("2.6.0", driver, "none") for driver in DRIVERS if driver != "aiosqlite"),
    ],
)
def test_jobs_are_added_while_the_previous_release_serves(
    upstream: Template,
    tmp_path: Path,
    in_environment: InEnvironment,
    version: str,
    driver: str,
    auth: str,
) -> None:
    answers = {"driver": driver, "auth": auth}
    old, project, message = updated_copy(
        upstream, tmp_path, in_environment, answers, version, jobs="database"
    )
    assert "_jobs.py" in message
    add_own_job(project)
    new = in_environment(project.folder)
    with database(new) as url:
        with serving_previous(old, url, auth) as previous:
            previous.call("POST", "/api/v1/projects", {"name": "Garden"}, status=201)
            alembic(new, url, "upgrade head", "check")
            previous.call("POST", "/api/v1/projects", {"name": "Pond"}, status=201)
            with serving(new, url, jobs_in_process=False) as enqueuing:
                for number in range(3):
                    enqueuing.call("POST", f"/counts?number={number}")
                assert enqueuing.call("GET", "/counts") == []
        with serving(new, url, jobs_in_process=True) as running:
            eventually(lambda: sorted(running.call("GET", "/counts")) == [1, 2, 3])
            if auth == "jwt":
                log_in(running, "ada")
            found = running.call("GET", "/api/v1/projects")["items"]
        assert {project["name"] for project in found} == {"Garden", "Pond"}
        alembic(new, url, "downgrade -1", "upgrade head", "check")


@pytest.mark.nightly
@pytest.mark.parametrize("driver", DRIVERS)
def test_jobs_and_results_of_an_owner_are_kept_while_both_releases_run_jobs(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str
) -> None:
    project = Project.copy(upstream, tmp_path / "project", "2.7.0", driver=driver, jobs="database")
    add_own_job(project)
    project.commit()
    old = in_environment(shutil.copytree(project.folder, tmp_path / "old"), "old")
    project.update()
    assert project.conflicts() == set()
    assert "    Count,\n" in (project.folder / "app" / "jobs.py").read_text()
    new = in_environment(project.folder)
    with database(new) as url:
        alembic(old, url, "upgrade head")
        with serving(old, url, jobs_in_process=True) as previous:
            previous.call("POST", "/counts?number=0")
            eventually(lambda: previous.call("GET", "/counts") == [1])
        with serving(old, url, jobs_in_process=False) as previous:
            for number in (1, 2):
                previous.call("POST", f"/counts?number={number}")
            alembic(new, url, "upgrade head", "check")
            with serving(new, url, jobs_in_process=True) as running:
                eventually(lambda: sorted(previous.call("GET", "/counts")) == [1, 2, 3])
                previous.call("POST", "/counts?number=3")
                eventually(lambda: sorted(running.call("GET", "/counts")) == [1, 2, 3, 4])
        with serving(new, url, jobs_in_process=False) as enqueuing:
            enqueuing.call("POST", "/counts?number=4")
        with serving(old, url, jobs_in_process=True) as previous:
            eventually(lambda: sorted(previous.call("GET", "/counts")) == [1, 2, 3, 4, 5])


@pytest.mark.nightly
@pytest.mark.parametrize("driver", ["asyncpg", nightly("aiosqlite"), nightly("aiomysql")])
def test_accounts_are_added_to_a_service_with_jobs(
    upstream: Template, tmp_path: Path, in_environment: InEnvironment, driver: str
) -> None:
    project = Project.copy(
        upstream, tmp_path / "project", driver=driver, examples=[], jobs="database"
    )
    service = in_environment(project.folder)
    with database(service) as url:
        alembic(service, url, "upgrade head")
        project.commit()  # the lock file
        project.update(auth="jwt")
        owner.append(project, ".env", "SECRET_KEY=development-secret-of-the-tests-alone\n")
        service = in_environment(project.folder)
        alembic(service, url, "upgrade head", "check", "downgrade 0001", "upgrade head", "check")
        with serving(service, url) as running:
            register(running, "ada")
            log_in(running, "ada")


def test_jobs_cannot_be_removed_nor_added_with_another_database(
    upstream: Template, tmp_path: Path
) -> None:
    project = Project.copy(upstream, tmp_path / "project", jobs="database")
    with pytest.raises(ValueError, match="jobs that wait would never run"):
        project.update(jobs="none")
    without = Project.copy(upstream, tmp_path / "without")
    with pytest.raises(ValueError, match="Add jobs, migrate, then update again"):
        without.update(jobs="database", driver="asyncpg")
