"""A connection for one statement that is executed without SQLAlchemy's engine."""

from time import time
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.pool import ManagesConnection
from sqlalchemy.util import greenlet_spawn

from app.core.pool import FairPool, single_statement
from app.core.session_state import is_changed


class StatementConnection:
    """Takes a connection from an engine's pool, and returns it after one statement.

    An open connection is taken without a greenlet, and without what SQLAlchemy does at each
    checkout. SQLAlchemy provides a connection that is to be opened, pinged or replaced, or that
    other listeners of the pool or another kind of pool handle. The errors are the same.
    """

    __slots__ = ("_checkout", "_connection", "_engine", "_pool")

    _connection: ManagesConnection

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool: Any = engine.pool
        self._checkout: Connection | None = None

    @property
    def driver_connection(self) -> Any:
        """The connection of the driver."""
        return self._connection.driver_connection

    @property
    def dbapi_connection(self) -> Any:
        """The connection of the driver, as SQLAlchemy adapts it to the DBAPI."""
        return self._connection.dbapi_connection

    @property
    def info(self) -> dict[Any, Any]:
        """Values that last until the connection to the server is closed."""
        return self._connection.info

    async def __aenter__(self) -> Self:
        token = single_statement.set(True)
        try:
            entry = await self._pool.borrow() if isinstance(self._pool, FairPool) else None
            if entry is not None:
                self._connection = entry
            else:
                self._checkout = await greenlet_spawn(self._engine.connect)
                self._connection = self._checkout.connection
        finally:
            single_statement.reset(token)
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        # After a cancellation the server may still be sending rows.
        was_cancelled = error is not None and not isinstance(error, Exception)
        try:
            if (was_cancelled or is_changed(self)) and self.dbapi_connection is not None:
                await greenlet_spawn(self._connection.invalidate, error)
        finally:
            if self._checkout is not None:
                await greenlet_spawn(self._checkout.close)
            else:
                self._pool.give_back(self._connection)

    async def invalidate(self, error: BaseException, *, others: bool = False) -> None:
        """Close the connection.

        With `others`, each connection that was opened before now is replaced at its next use:
        the server has probably closed them all.
        """
        if others:
            # As `Pool._invalidate` does for a connection that has been checked out.
            record: Any = getattr(self._connection, "_connection_record", self._connection)
            if self._pool._invalidate_time < record.starttime:  # noqa: SLF001
                self._pool._invalidate_time = time()  # noqa: SLF001
        await greenlet_spawn(self._connection.invalidate, error)
