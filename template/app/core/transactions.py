"""Transactions that are retried after a deadlock, a serialization failure or a failover."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database_errors import is_retryable
from app.database import Database

ATTEMPTS = 5

Result = TypeVar("Result")


async def transact(database: Database, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Run `work` in a transaction of its own, and retry the whole transaction after a conflict.

    `work` runs again, because what it has read may have changed: it must do nothing but read and
    write rows in its session. Raises what `work` raises, and a conflict after five attempts.
    """

    async def attempt() -> Result:
        # The session is closed before the next attempt: no connection is held while it waits.
        async with database.write.begin() as session:
            return await work(session)

    return await _retry(attempt)


_retry = stamina.AsyncRetryingCaller(
    attempts=ATTEMPTS, timeout=None, wait_initial=0.02, wait_jitter=0.1
).on(is_retryable)
