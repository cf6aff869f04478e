"""Sessions that only read, and the protocol for functions that accept any session."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, Self, TypeAlias, TypeVar, TypeVarTuple, overload

from sqlalchemy import Executable, Result, ScalarResult, TextClause
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.selectable import TypedReturnsRows

from app.core.database_errors import ErrorKind, classify
from app.core.direct_reads import DirectReads
from app.core.pool import count_read, single_statement

T = TypeVar("T")
Columns = TypeVarTuple("Columns")
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

CANNOT_WRITE = "A ReadSession cannot write or lock rows: depend on Session instead."

# The first word of textual SQL that reads, and the words of writes, outside quotes and comments.
READS = re.compile(r"[\s(]*(?:select|with|values|table|show|explain|desc|describe)\b", re.I)
WRITES = re.compile(
    r"\b(?:insert|update|delete|merge|into|(?:for|for\s+key|in)\s+share)\b|;\s*\S", re.I
)
QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)


class Reader(Protocol):
    """A session that can read: an `AsyncSession` or a `ReadOnlySession`.

    Use it to annotate functions that neither write nor lock rows.
    """

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], params: Parameters = None
    ) -> Result[*Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, params: Parameters = None
    ) -> Result[*tuple[Any, ...]]: ...

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> ScalarResult[T]: ...

    @overload
    async def scalars(
        self, statement: Executable, params: Parameters = None
    ) -> ScalarResult[Any]: ...

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> T | None: ...

    @overload
    async def scalar(self, statement: Executable, params: Parameters = None) -> Any: ...

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

    repeats_after_conflict = True

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], direct: DirectReads | None = None
    ) -> None:
        self._sessions = sessions
        self._direct = direct

    @cached_property
    def _session(self) -> AsyncSession:
        # Created on first use: direct reads need no session.
        return self._sessions()

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], params: Parameters = None
    ) -> Result[*Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, params: Parameters = None
    ) -> Result[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, params: Parameters = None
    ) -> Result[*tuple[Any, ...]]:
        """Return the rows. Raises `RuntimeError` for a statement that writes or locks rows."""
        if not _only_reads(statement):
            raise RuntimeError(CANNOT_WRITE)

        def by_session() -> Awaitable[Result[*tuple[Any, ...]]]:
            return self._run(
                lambda session: session.execute(
                    statement,
                    params,
                    # Undocumented: `AsyncSession.execute` sets it, so that all rows are loaded
                    # before the connection is returned. Remove it when SQLAlchemy has a public way:
                    # `test_rows_outlive_the_connection` is the contract.
                    execution_options={"prebuffer_rows": True, "only_reads": True},
                )
            )

        if (direct := self._direct) is None:
            return await self._repeat_after_conflict(by_session)
        return await self._repeat_after_conflict(
            lambda: direct.execute(statement, params, by_session)
        )

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> ScalarResult[T]: ...

    @overload
    async def scalars(
        self, statement: Executable, params: Parameters = None
    ) -> ScalarResult[Any]: ...

    async def scalars(self, statement: Executable, params: Parameters = None) -> ScalarResult[Any]:
        """Return the first column of the rows."""
        return (await self.execute(statement, params)).scalars()

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[T], params: Parameters = None
    ) -> T | None: ...

    @overload
    async def scalar(self, statement: Executable, params: Parameters = None) -> Any: ...

    async def scalar(self, statement: Executable, params: Parameters = None) -> Any:
        """Return the first column of the first row; None without rows."""
        return (await self.execute(statement, params)).scalar()

    async def get(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T | None:
        """Return the row with this primary key; None if there is none."""
        if self._direct is not None:
            lookup = self._direct.look_up(entity, ident, options)
            if lookup is not None:
                found: T | None = (await self.execute(*lookup)).unique().scalar_one_or_none()
                return found
        return await self._repeat_after_conflict(
            lambda: self._run(lambda session: session.get(entity, ident, options=options))
        )

    async def get_one(
        self, entity: type[T], ident: Any, *, options: Sequence[ORMOption] | None = None
    ) -> T:
        """Return the row with this primary key. Raises `NoResultFound` if there is none."""
        found = await self.get(entity, ident, options=options)
        if found is None:
            raise NoResultFound("No row was found when one was required")
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing: no connection is held between statements."""

    async def _run(self, read: Callable[[Session], T]) -> T:
        def read_and_release(session: Session) -> T:
            count_read(session.bind, directly=False)
            try:
                return read(session)
            finally:
                session.close()

        return await self._session.run_sync(read_and_release)

    async def _repeat_after_conflict(self, read: Callable[[], Awaitable[T]]) -> T:
        token = single_statement.set(True)
        try:
            return await read()
        except DBAPIError as error:
            if not self.repeats_after_conflict or classify(error) is not ErrorKind.CONFLICT:
                raise
            # A read can be repeated, because it changes nothing.
            return await read()
        finally:
            single_statement.reset(token)


def _only_reads(statement: Any) -> bool:
    # Unwrap `from_statement()`, then `columns()`.
    for _ in range(2):
        statement = getattr(statement, "element", statement)
    if isinstance(statement, TextClause):
        sql = QUOTED.sub(" ", statement.text)
        return bool(READS.match(sql)) and not WRITES.search(sql)
    # `_for_update_arg` is undocumented: `test_statement_that_locks_rows_is_rejected` is the
    # contract. The lock would end with the statement, and protect nothing.
    return statement.is_select and getattr(statement, "_for_update_arg", None) is None
