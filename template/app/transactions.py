"""Units of work that run again when the database asks for that."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.database_errors import Kind, classify

ATTEMPTS = 5

Result = TypeVar("Result")


async def transact(database: Database, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Do the work in a transaction of its own, and again after a deadlock or a lost race.

    The whole of it, since what `work` has read may have changed: let it leave nothing behind but
    what it writes to its session. Raises what `work` raises, a conflict after the last attempt.
    """

    async def attempt() -> Result:
        # Closed before the wait for the next attempt: no connection is held meanwhile.
        async with database.write.begin() as session:
            return await work(session)

    return await _repeatedly(attempt)


def _is_conflict(error: Exception) -> bool:
    return classify(error) is Kind.CONFLICT


_repeatedly = stamina.AsyncRetryingCaller(
    attempts=ATTEMPTS, timeout=None, wait_initial=0.02, wait_jitter=0.1
).on(_is_conflict)
