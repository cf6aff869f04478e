"""Errors of migrations, on every database."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.core.database_errors import ErrorKind, classify


@contextmanager
def explaining_lock_timeouts() -> Iterator[None]:
    """Raise `CommandError` for a lock timeout: Alembic prints its message without a traceback."""
    try:
        yield
    except DBAPIError as error:
        if classify(error) is not ErrorKind.LOCKED:
            raise
        raise CommandError(
            f"Timed out waiting for a lock: {error.statement}. End the transaction that holds the"
            " lock, or raise MIGRATION_LOCK_TIMEOUT; then try again."
        ) from error
