"""After a fault, a job runs again, and its effect is there once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database_errors import classify
from app.core.job_queue import UNFINISHED, DeleteFinishedJobs, enqueue_periodic
from app.core.jobs import TEMPORARY, run_if_due
from app.core.models import Base, utc_now
from app.core.outbox import BackgroundJob, JobState, OutboxJob, enqueue
from app.core.worker import Worker
from app.database import Database
from app.jobs import JOBS
from app.models import User
from tests.authorization import rows_of

from .injection import each_fault
from .rows import Snapshot

DAY = timedelta(days=1)
OLD = utc_now() - 100 * DAY


class Mailer:
    """Counts mails."""

    sent = 0

    async def send(self, _: object) -> None:
        self.sent += 1


async def payloads(session: AsyncSession, user: User) -> dict[str, Any]:
    """Create rows for jobs to delete; return the fields of the jobs that have some."""
    rows = await rows_of(session, user)
    old_rows: dict[str, dict[str, Any]] = {
        "idempotency_keys": {
            "digest": "a",
            "user_id": user.id,
            "request_digest": "",
            "attempt_id": uuid4(),
            "expires_at": OLD,
        },
        "one_time_tokens": {
            "digest": "a",
            "purpose": "registration",
            "data": {},
            "expires_at": OLD,
        },
        "outbox": {
            "id": uuid4(),
            "kind": "Old",
            "payload": {},
            "origin": {},
            "state": JobState.SUCCEEDED,
            "run_at": OLD,
            "finished_at": OLD,
            "attempts": 1,
            "cancel_requested": False,
            "created_at": OLD,
        },
    }
    for name, row in old_rows.items():
        if (table := Base.metadata.tables.get(name)) is not None:
            await session.execute(insert(table), row)
    address = {"email": "new@example.org"}
    return {
        "RegistrationMail": address,
        "PasswordResetMail": {"email": getattr(user, "email", "")},
        "AddressChangeNotice": {"recipient": "ada@example.org", "name": "Ada", **address},
        "AddressChangeLink": {"user_id": user.id, "token_version": 0, **address},
        "ImportMeasurements": {
            "sensor_id": rows["sensor_id"],
            "text": "measured_at,value\n2030-01-01T00:00:00Z,1.5\n2030-01-02T00:00:00Z,x\n",
        },
    }


async def work(app: FastAPI, database: Database) -> None:
    """Run jobs until none is left, as a worker does."""
    worker = Worker(app.state, JOBS)
    unfinished = select(OutboxJob.id).where(
        OutboxJob.state.in_(UNFINISHED), OutboxJob.kind.in_([job.__name__ for job in JOBS])
    )
    for _ in range(10):
        with temporary_errors():
            await worker._claim()
        await asyncio.gather(*worker._runs)
        if await database.read_primary().scalar(unfinished.limit(1)) is None:
            return
        with temporary_errors():
            async with database.write.begin() as session:
                running = OutboxJob.state == JobState.RUNNING
                await session.execute(update(OutboxJob).where(running).values(lease_until=OLD))
            await worker._renew()
    raise AssertionError("a job is not finished")


@contextmanager
def temporary_errors() -> Iterator[None]:
    """Suppress errors after which a worker tries again."""
    try:
        yield
    except SQLAlchemyError as error:
        if classify(error) not in TEMPORARY:
            raise


async def test_job_has_its_effect_once(
    app: FastAPI,
    database: Database,
    snapshot: Snapshot,
    session: AsyncSession,
    user: User,
    other_user: User,
    fast_worker: None,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    mailer = Mailer()
    monkeypatch.setattr(app.state, "mailer", mailer, raising=False)
    fields = await payloads(session, user)
    other_user.deleted_at = OLD
    await session.merge(other_user)
    await session.commit()
    await session.close()
    await snapshot.take()
    faults = 0
    for job_class in JOBS:
        job = job_class(**fields.get(job_class.__name__, {}))

        async def prepare(job: BackgroundJob = job) -> None:
            await snapshot.restore()
            async with database.write.begin() as adding:
                await enqueue(adding, job)
            mailer.sent = 0

        await prepare()
        await work(app, database)
        after = await snapshot.show(), mailer.sent
        async for kind, place, _ in each_fault(database, prepare, partial(work, app, database)):
            faults += 1
            with subtests.test(f"{job_class.__name__}: {place}"):
                rows = await snapshot.show()
                if kind.commits_before and mailer.sent:
                    # The mail is composed again, with another token: nobody has the first one.
                    rows["one_time_tokens"] = [*dict.fromkeys(rows["one_time_tokens"])]
                assert (rows, mailer.sent) == after
    print(f"{len(JOBS)} jobs, {faults} faults")


async def test_periodic_job_is_enqueued_once(
    app: FastAPI, database: Database, snapshot: Snapshot, subtests: pytest.Subtests
) -> None:
    await snapshot.take()
    run = partial(
        run_if_due, database, "Delete", DAY, partial(enqueue_periodic, DeleteFinishedJobs)
    )
    await run()
    after = await snapshot.show()

    async def run_repeatedly() -> None:
        for _ in range(4):
            with temporary_errors():
                await run()

    faults = 0
    async for _, place, _ in each_fault(database, snapshot.restore, run_repeatedly):
        faults += 1
        with subtests.test(place):
            assert await snapshot.show() == after
    print(f"1 periodic job, {faults} faults")
