"""Reads that go straight to the driver, without SQLAlchemy's session, engine and cursor.

The session reads the first statement of each form, and a `Plan` is created from its result. The
next statements of the form are read by the plan: the driver gets SQL and values, and its rows
become objects as a closed session leaves them. The key of SQLAlchemy's own cache of statements
tells forms apart.

A plan returns and raises what the session would. The session reads everything for which that is
not certain: `DirectReads.execute` and `app.core.plan_creation` list the reasons.
"""

# ruff: noqa: SLF001

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    Dialect,
    Engine,
    Executable,
    Select,
    SQLColumnExpression,
    bindparam,
    inspect,
    select,
)
from sqlalchemy.engine import Result
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.util import LRUCache, to_list

from app.core.failed_connection import FailedConnection
from app.core.listeners import OtherListeners
from app.core.loaded_collections import Collection, Rows
from app.core.plan_creation import NotExecuted, create_plan
from app.core.plans import Objects, Plan, Row, Values
from app.core.pool import count_read
from app.core.statements import SessionRequired, events_of_statements, observers_of

# Provides a connection for one read, such as `StatementConnection`.
Connect: TypeAlias = Callable[[Engine], AbstractAsyncContextManager[Any]]
# Sends a SELECT to the driver; returns the type of each column, as in the DBAPI's description of a
# cursor, and all rows.
Fetch: TypeAlias = Callable[[Dialect, Any, str, Any], Awaitable[tuple[Row, Sequence[Row]]]]
BySession: TypeAlias = Callable[[], Awaitable[Result[Any]]]

SESSION_EVENTS = (
    "after_begin",
    "after_transaction_create",
    "after_transaction_end",
    "do_orm_execute",
    "loaded_as_persistent",
    "persistent_to_detached",
)
UNKNOWN: Any = object()

sql_log = logging.getLogger("sqlalchemy.engine.Engine")


class DirectReads:
    """Reads statements on the connections of an engine."""

    def __init__(self, engine: Engine, connect: Connect, fetch: Fetch) -> None:
        self._engine = engine
        self._connect = connect
        self._fetch = fetch
        self._observers = observers_of(engine)
        session_events = [(Session().dispatch, name) for name in SESSION_EVENTS]
        self._others = OtherListeners(events_of_statements(engine) + session_events)
        self._plans: LRUCache[Any, Plan | None] = LRUCache(500)

    async def execute(
        self, statement: Executable, values: Any, by_session: BySession
    ) -> Result[Any]:
        """Return the rows of a statement; `by_session` reads a statement without a plan."""
        is_observed = self._others.exist() or sql_log.isEnabledFor(logging.INFO)
        key: Any = None if is_observed or not _are_named(values) else _key(statement)
        plan = None if key is None else self._plans.get(key.key, UNKNOWN)
        if plan is not UNKNOWN and plan is not None and not plan.listeners.exist():
            with suppress(SessionRequired):
                return await self._read(plan, statement, values, key)
        result = await by_session()
        if plan is UNKNOWN:
            with suppress(NotExecuted):
                self._plans[key.key] = create_plan(self._engine, result)
        return result

    def look_up(
        self, entity: Any, ident: Any, options: Sequence[ORMOption] | None
    ) -> tuple[Select[Any], dict[str, Any]] | None:
        """Return the statement that reads the row with this primary key, and its values.

        None means that `Session.get` has to do it: it has no plan, or an error to raise.
        """
        key = to_list(ident, default=[None])
        if isinstance(ident, dict) or any(part is None or _is_expression(part) for part in key):
            return None
        try:
            hash(tuple(key))
            statement, names = _lookup(entity)
        except TypeError:  # of a model that has no lookup, too
            return None
        if options:
            statement = statement.options(*options)
        form = _key(statement)
        if len(key) != len(names) or form is None or self._plans.get(form.key, UNKNOWN) is None:
            return None
        return statement, dict(zip(names, key, strict=True))

    async def _read(
        self, plan: Plan, statement: Executable, values: Values, key: Any
    ) -> Result[Any]:
        bound = _bind(plan, values, key)
        objects: Objects = {}
        async with self._connect(self._engine) as connection:

            async def load(collection: Collection, values: Values) -> Rows:
                bound = _bind(collection.plan, values, collection.key)
                found = await self._send(connection, bound, collection.statement, values)
                return Rows(collection.plan.convert(*found, objects))

            rows = plan.convert(*await self._send(connection, bound, statement, values), objects)
            parents = list(objects.values())
            for collection in plan.collections if parents else ():
                await collection.load(parents, load)
        count_read(self._engine, directly=True)
        return plan.result(statement, rows)

    async def _send(
        self, connection: Any, bound: tuple[str, Any], statement: Executable, values: Values
    ) -> tuple[Row, Sequence[Row]]:
        sql, arguments = bound
        try:
            with self._observers.reading(sql, arguments, connection):
                return await self._fetch(
                    self._engine.dialect, connection.dbapi_connection, sql, arguments
                )
        except SessionRequired:
            raise
        except Exception as error:
            count_read(self._engine, directly=True)
            failed = FailedConnection(connection, error)
            try:
                raise failed.execute_again(self._engine, statement, values)
            finally:
                if not failed.is_valid:
                    await connection.invalidate(error)


def _bind(plan: Plan, values: Values, key: Any) -> tuple[str, Any]:
    try:
        return plan.bind(values, key)
    except Exception:
        # The session fails as well, and its error names the statement.
        raise SessionRequired from None


@lru_cache(maxsize=500)
def _lookup(entity: Any) -> tuple[Select[Any], list[str]]:
    """Return the statement that `Session.get` executes for a model, and the names of its values.

    Raises `TypeError` for anything but a model without a parent.
    """
    mapper = inspect(entity, raiseerr=False)
    if not isinstance(mapper, Mapper) or mapper.inherits:
        raise TypeError
    names = [f"pk_{number}" for number, _ in enumerate(mapper.primary_key, start=1)]
    statement = select(entity)
    for column, name in zip(mapper.primary_key, names, strict=True):
        statement = statement.where(column == bindparam(name, type_=column.type))
    return statement, names


def _is_expression(value: Any) -> bool:
    """Return whether a part of a key is SQL, an attribute, or a composite value."""
    return isinstance(value, SQLColumnExpression) or hasattr(value, "__composite_values__")


def _are_named(values: Any) -> bool:
    return values is None or (isinstance(values, dict) and {str}.issuperset(map(type, values)))


def _key(statement: Any) -> Any:
    """Return the key of a statement; None if it cannot have a plan."""
    # The key does not contain the execution options.
    if not isinstance(statement, Select) or statement.get_execution_options():
        return None
    return statement._generate_cache_key()
