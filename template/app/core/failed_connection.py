"""Turn an error of the driver into the error that SQLAlchemy would raise."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection


class FailedConnection(PoolProxiedConnection):
    """A connection whose cursor raises the error that the driver has raised.

    The statement is executed again on it, so that SQLAlchemy raises its own error: it names the
    statement, listeners may replace it, and it decides which connections are closed: after a
    disconnect, all that are older.
    """

    description = None
    is_valid = True

    def __init__(self, connection: Any, error: Exception) -> None:
        self.dbapi_connection = connection.dbapi_connection
        # Undocumented: tells the pool how old the connection is.
        self._connection_record = connection.pool_entry
        self.error = error

    def execute_again(
        self, engine: Engine, statement: Executable, values: Mapping[str, Any] | None
    ) -> Any:
        """Raise SQLAlchemy's error."""
        options = {"only_reads": True, "replayed": True}
        with Session(Connection(engine, self)) as session:
            return session.execute(statement, values, execution_options=options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dbapi_connection, name)

    def cursor(self, *_: Any, **__: Any) -> Any:
        return self

    def execute(self, *_: Any) -> None:
        raise self.error

    def invalidate(self, *_: Any, **__: Any) -> None:
        self.is_valid = False

    def close(self) -> None:
        """Do nothing: the connection is returned by the block that took it."""

    rollback = close
