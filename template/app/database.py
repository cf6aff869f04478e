"""How an endpoint gets a session: it declares a parameter `session: Session` or `ReadSession`."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection

from app.core.engines import create_direct_reads, create_engine, create_read_engine, read_options
from app.core.pool import PoolStatus, pool_statuses
from app.core.sessions import ReadOnlySession
from app.settings import Settings


async def get_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """Yield a session with one transaction, which is committed when the endpoint returns."""
    database = await get_database(connection)
    session = database.write()
    try:
        yield session
        if session.in_transaction():
            await session.commit()
    finally:
        # Not `async with`: it closes the session in a new task, to shield it from cancellation.
        # FastAPI already shields this code.
        await session.close()


async def get_read_session(connection: HTTPConnection) -> ReadOnlySession:
    """Return a session without a transaction, which takes a connection for each statement."""
    database = await get_database(connection)
    return database.read()


# `scope="function"` commits before the response is sent, so a failed commit is an error response.
# The default scope would commit after the response.
# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
ReadSession = Annotated[ReadOnlySession, Depends(get_read_session)]


class Database:
    """The engines of one application, and the sessions on them.

    `write()` creates an `AsyncSession`, `read()` a `ReadOnlySession`. Raises `ValueError` for an
    unusable DATABASE_URL.
    """

    def __init__(self, settings: Settings) -> None:
        self.engine = create_engine(settings)
        self.read_engine = create_read_engine(self.engine, settings)
        self.write = async_sessionmaker(
            self.engine,
            expire_on_commit=False,  # attributes stay readable after a commit, without a query
            close_resets_only=False,  # using a closed session is an error, not a leaked connection
        )
        self.read = partial(
            ReadOnlySession,
            async_sessionmaker(self.read_engine, execution_options=read_options(settings)),
            # Without this argument, SQLAlchemy's session reads everything.
            direct=create_direct_reads(self.read_engine, settings),
        )

    @property
    def pools(self) -> dict[str, PoolStatus]:
        """The state of each connection pool, by its use."""
        return pool_statuses(self.engine, self.read_engine)

    async def dispose(self) -> None:
        """Close every pooled connection."""
        engines = {engine.pool: engine for engine in (self.read_engine, self.engine)}
        for engine in engines.values():  # both may share a pool
            await engine.dispose()


async def get_database(connection: HTTPConnection) -> Database:
    """Return the database of the application that serves this request."""
    database: Database = connection.app.state.database
    return database
