"""Errors of migrations, on every database."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from app.core.connection_errors import diagnose
from app.core.database_errors import ErrorKind, classify


@contextmanager
def explaining_errors() -> Iterator[None]:
    """Raise `CommandError` where a migration is not to blame: Alembic prints no traceback then."""
    try:
        yield
    except DBAPIError as error:
        kind = classify(error)
        if kind is ErrorKind.LOCKED:
            raise CommandError(
                f"Timed out waiting for a lock: {error.statement}. End the transaction that holds the"
                " lock, or raise MIGRATION_LOCK_TIMEOUT; then try again."
            ) from error
        if kind is ErrorKind.UNAVAILABLE:
            raise CommandError("\n".join(diagnose(error))) from error
        raise
