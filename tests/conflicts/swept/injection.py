"""Faults of the database at the n-th statement or commit."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Dialect

from app.database import Database

# The servers raise these errors: MySQL has rolled back the transaction at a deadlock.
CONFLICT = {
    "postgresql": ["DO $$ BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END $$"],
    "mysql": ["ROLLBACK", "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"],
    "sqlite": ["SQLITE_BUSY_SNAPSHOT"],
}
LOSS = {
    "postgresql": ["SELECT pg_terminate_backend(pg_backend_pid())"],
    "mysql": ["KILL CONNECTION_ID()", "SELECT 1"],
    "sqlite": ["SQLITE_IOERR"],
}


Result = TypeVar("Result")


class Kind(NamedTuple):
    """What happens, at statements or at commits, and how many times in a row."""

    name: str
    at: str
    error: dict[str, list[str]] = CONFLICT
    times: int = 1
    commits_before: bool = False


KINDS = [
    Kind("conflict", "statement"),
    Kind("conflict", "commit"),
    Kind("two conflicts", "statement", times=2),
    Kind("two conflicts", "commit", times=2),
    Kind("connection lost", "statement", LOSS),
    Kind("connection lost before the commit", "commit", LOSS),
    Kind("connection lost after the commit", "commit", LOSS, commits_before=True),
]


class Fault:
    """A fault at the n-th statement or commit."""

    def __init__(self, dialect: Dialect, kind: Kind, number: int) -> None:
        self.kind = kind
        self.number = number
        self.seen = 0
        self._dialect = dialect
        self._errors = kind.error["mysql" if dialect.name == "mariadb" else dialect.name]

    @property
    def has_happened(self) -> bool:
        return self.seen >= self.number

    def execute(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function of the dialect that executes a statement, with the fault."""

        def execute(cursor: Any, sql: str, *arguments: Any) -> Any:
            # A rollback to a savepoint waits for nothing.
            if not sql.startswith("ROLLBACK") and self._is_due():
                self._raise(cursor)
            return function(cursor, sql, *arguments)

        return execute

    def commit(self, function: Callable[[Any], None]) -> Callable[[Any], None]:
        """The function of the dialect that commits, with the fault."""

        def commit(connection: Any) -> None:
            # With autocommit, nothing is sent.
            if getattr(connection, "autocommit", None) is True or not self._is_due():
                function(connection)
                return
            (function if self.kind.commits_before else self._dialect.do_rollback)(connection)
            try:
                self._raise(connection.cursor())
            finally:
                with suppress(Exception):  # a driver begins a transaction for the statement
                    self._dialect.do_rollback(connection)

        return commit

    def _is_due(self) -> bool:
        self.seen += 1
        return self.number <= self.seen < self.number + self.kind.times

    def _raise(self, cursor: Any) -> None:
        for error in self._errors:
            if error.startswith("SQLITE"):
                raised = sqlite3.OperationalError(error)
                raised.sqlite_errorname = error
                raise raised
            cursor.execute(error)
        raise AssertionError("the server raised no error")


@contextmanager
def fault_at(database: Database, kind: Kind, number: int) -> Iterator[Fault]:
    """Let the n-th statement or commit of the service fail."""
    dialect = database.engine.dialect
    fault = Fault(dialect, kind, number)
    names = ["do_commit"]
    if kind.at == "statement":
        names = ["do_execute", "do_executemany", "do_execute_no_params"]
    replaced = {name: vars(dialect).get(name) for name in names}
    for name in names:
        replace = fault.execute if kind.at == "statement" else fault.commit
        setattr(dialect, name, replace(getattr(dialect, name)))
    try:
        yield fault
    finally:
        for name, function in replaced.items():
            if function is None:
                delattr(dialect, name)
            else:
                setattr(dialect, name, function)


async def each_fault(
    database: Database, prepare: Callable[[], Awaitable[None]], run: Callable[[], Awaitable[Result]]
) -> AsyncIterator[tuple[Kind, str, Result]]:
    """Run something with a fault at each of its statements and commits, one after the other.

    Yields the kind of the fault, its place, and the result.
    """
    for kind in KINDS:
        for number in count(1):
            await prepare()
            with fault_at(database, kind, number) as fault:
                result = await run()
            if not fault.has_happened:
                break
            yield kind, f"{kind.name} at {kind.at} {number}", result
