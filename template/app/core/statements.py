"""Observers of statements and commits: functions that are called before and after each."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, Self
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine

from app.core.listeners import listen

ENGINE_EVENTS = (
    "before_execute",
    "before_cursor_execute",
    "after_cursor_execute",
    "after_execute",
    "engine_connect",
    "set_connection_execution_options",
    "begin",
    "commit",
    "rollback",
)
EXECUTION_EVENTS = ("do_execute", "do_executemany", "do_execute_no_params")


class SessionRequired(Exception):
    """The driver cannot read this directly, so the session has to."""


class HasInfo(Protocol):
    """A connection; `info` lasts until the connection to the server is closed."""

    @property
    def info(self) -> MutableMapping[Any, Any]: ...


@dataclass(slots=True)
class Statement:
    """One execution of a statement: a context manager that calls the observers."""

    observers: "Observers"
    sql: str  # or COMMIT
    parameters: Any
    connection: HasInfo
    is_dml: bool  # INSERT, UPDATE or DELETE, unless it is textual SQL
    only_reads: bool
    began: float = field(default_factory=monotonic)

    def __enter__(self) -> Self:
        for observe in self.observers.before:
            observe(self)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, SessionRequired):
            return  # the session executes it
        for observe in self.observers.after:
            observe(self, error)


class Observers:
    """The observers of an engine's statements.

    An observer in `before` may raise an exception: then the statement is not executed, and the
    observers in `after` are not called. They get the exception of a statement that failed.
    """

    def __init__(self) -> None:
        self.before: list[Callable[[Statement], None]] = []
        self.after: list[Callable[[Statement, BaseException | None], None]] = []

    def reading(self, sql: str, parameters: Any, connection: HasInfo) -> Statement:
        """Return a statement that is executed without the engine, and that may only read."""
        return Statement(self, sql, parameters, connection, is_dml=False, only_reads=True)


# For a statement that is executed again to create SQLAlchemy's error: see `failed_connection`.
NO_OBSERVERS = Observers()
_observers: WeakKeyDictionary[Dialect, Observers] = WeakKeyDictionary()


def observers_of(engine: Engine) -> Observers:
    """Return the observers of an engine, which its `execution_options()` share."""
    dialect = engine.dialect
    if dialect not in _observers:
        _observers[dialect] = observers = Observers()
        # `before_cursor_execute` and its like would slow down everything that an engine does.
        for name in EXECUTION_EVENTS:
            listen(engine, name, _executing(name, observers))
        _observe_commits(dialect, observers)
    return _observers[dialect]


def _executing(name: str, observers: Observers) -> Callable[..., bool]:
    def execute(*arguments: Any) -> bool:
        sql, context = arguments[1], arguments[-1]
        dialect = context.dialect
        statement = Statement(
            NO_OBSERVERS if context.execution_options.get("replayed") else observers,
            sql,
            arguments[2] if len(arguments) == 4 else (),
            context.root_connection,
            is_dml=context.isinsert or context.isupdate or context.isdelete,
            only_reads=context.execution_options.get("only_reads", False),
        )
        with statement:
            listeners = list(getattr(dialect.dispatch, name))
            # Returning True skips the listeners after this one, so they are called here.
            for listener in listeners[listeners.index(execute) + 1 :]:
                if listener(*arguments):
                    return True
            getattr(dialect, name)(*arguments)
        return True

    return execute


def _observe_commits(dialect: Any, observers: Observers) -> None:
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        if getattr(connection, "autocommit", None) is True:  # on PostgreSQL: nothing is sent
            commit(connection)
            return
        with Statement(observers, "COMMIT", (), connection, is_dml=False, only_reads=False):
            commit(connection)

    # Not a listener to "commit": it would be called before the commit only.
    dialect.do_commit = do_commit


def events_of_statements(engine: Engine) -> list[tuple[Any, str]]:
    """Return the events that a statement misses if it is executed without the engine."""
    return [(engine.dispatch, name) for name in ENGINE_EVENTS] + [
        (engine.dialect.dispatch, name) for name in (*EXECUTION_EVENTS, "handle_error")
    ]
