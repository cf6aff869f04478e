"""Sessions that only read, and the protocol for functions that accept any session."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import Result, ScalarResult
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.selectable import TypedReturnsRows

T = TypeVar("T")
Columns = TypeVarTuple("Columns")
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Reader(Protocol):
    """A session that can read: an `AsyncSession` or a `ReadOnlySession`.

    Use it to annotate functions that neither write nor lock rows.
    """

    async def execute(
        self, statement: TypedReturnsRows[*Columns], params: Parameters = None
    ) -> Result[*Columns]: ...

    async def scalars(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> ScalarResult[T]: ...

    async def scalar(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> T | None: ...

    async def get(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T | None: ...

    async def get_one(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T: ...


class ReadOnlySession:
    """Reads rows: each statement takes a connection from the pool and returns it when it ends.

    An endpoint therefore holds no connection while it waits for another service, and there is
    nothing to close. Statements see what is committed when they run: there is no transaction.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._session = sessions()

    async def execute(
        self, statement: TypedReturnsRows[*Columns], params: Parameters = None
    ) -> Result[*Columns]:
        """Return the rows. Raises `RuntimeError` for a statement that writes or locks rows."""
        # `_for_update_arg` is undocumented: `test_statement_that_locks_rows_is_rejected` is the
        # contract. The lock would end with the statement, and protect nothing.
        if not statement.is_select or getattr(statement, "_for_update_arg", None) is not None:
            raise RuntimeError(
                "A ReadSession cannot write or lock rows: depend on Session instead."
            )
        return await self._run(
            lambda session: session.execute(
                statement,
                params,
                # Undocumented: `AsyncSession.execute` sets it, so that all rows are loaded before
                # the connection is returned. Remove it when SQLAlchemy has a public way:
                # `test_rows_outlive_the_connection` is the contract.
                execution_options={"prebuffer_rows": True},
            )
        )

    async def scalars(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> ScalarResult[T]:
        """Return the first column of the rows."""
        return (await self.execute(statement, params)).scalars()

    async def scalar(self, statement: TypedReturnsRows[T], params: Parameters = None) -> T | None:
        """Return the first column of the first row; None without rows."""
        return (await self.execute(statement, params)).scalar()

    async def get(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T | None:
        """Return the row with this primary key; None if there is none."""
        return await self._run(lambda session: session.get(entity, ident, options=options))

    async def get_one(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T:
        """Return the row with this primary key. Raises `NoResultFound` if there is none."""
        return await self._run(lambda session: session.get_one(entity, ident, options=options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: no connection is held between statements."""

    async def _run(self, read: Callable[[Session], T]) -> T:
        def read_and_release(session: Session) -> T:
            try:
                return read(session)
            finally:
                session.close()

        return await self._session.run_sync(read_and_release)
