"""Reads that go straight to the driver, without SQLAlchemy's session, engine and cursor.

The session reads the first statement of each form. Its result shows what SQLAlchemy knows about
this form: the SQL, how values are bound, how columns are converted, and where in a row the
attributes of an object are. A `Plan` keeps that. The next statements of the form are read by the
plan: the driver gets SQL and values, and its rows become objects as a closed session leaves them.
The key of SQLAlchemy's own cache of statements tells forms apart.

A plan returns and raises what the session would. The session reads everything for which that is
not certain: `DirectReads.execute`, `_plan` and `_entity_plan` list the reasons.

Much of this is undocumented: `tests/core/test_sqlalchemy.py` names it.
"""

# ruff: noqa: SLF001

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Dialect, Engine, Executable, Select, bindparam, inspect, select
from sqlalchemy.engine import ChunkedIteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import instance_dict, instance_state
from sqlalchemy.orm.context import QueryContext
from sqlalchemy.util import LRUCache, to_list

from app.core.failed_connection import FailedConnection
from app.core.listeners import OtherListeners
from app.core.pool import count_read
from app.core.statements import events_of_statements, observers_of

Row: TypeAlias = Sequence[Any]
Values: TypeAlias = Mapping[str, Any] | None
# Provides a connection for one statement, such as `StatementConnection`.
Connect: TypeAlias = Callable[[Engine], AbstractAsyncContextManager[Any]]
# Sends a SELECT to the driver; returns the type of each column, as in the DBAPI's description of a
# cursor, and all rows.
Fetch: TypeAlias = Callable[[Dialect, Any, str, Any], Awaitable[tuple[Row, Sequence[Row]]]]
BySession: TypeAlias = Callable[[], Awaitable[Result[Any]]]

# Execution options of this package and of SQLAlchemy. A statement with another one has no plan.
OPTIONS = {
    "_result_disable_adapt_to_context",
    "_sa_orm_load_options",
    "isolation_level",
    "only_reads",
    "prebuffer_rows",
    "sqlite_begin",
}
# How relationships are loaded that are not loaded with their object.
NOT_LOADED = {"raise", "raise_on_sql", "select"}
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


class SessionRequired(Exception):
    """The driver cannot read this directly, so the session has to."""


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
        key = _key(statement)
        if (
            key is None
            or not isinstance(values, Mapping | None)
            or self._others.exist()
            or sql_log.isEnabledFor(logging.INFO)
        ):
            return await by_session()
        plan = self._plans.get(key.key, UNKNOWN)
        if plan is UNKNOWN:
            result = await by_session()
            self._plans[key.key] = _plan(self._engine, result)
            return result
        if plan is None or plan.has_listeners():
            return await by_session()
        try:
            sql, arguments = plan.bind(values, key)
        except Exception:
            # The session fails as well, and its error names the statement.
            return await by_session()
        try:
            types, rows = await self._read(sql, arguments, statement, values)
        except SessionRequired:
            return await by_session()
        return plan.result(statement, types, rows)

    def look_up(self, entity: Any, ident: Any) -> tuple[Select[Any], dict[str, Any]] | None:
        """Return the statement that reads the row with this primary key, and its values.

        None means that `Session.get` has to do it: it has no plan, or an error to raise.
        """
        lookup = _lookup(entity)
        key = to_list(ident, default=[None])
        if (
            lookup is None
            or isinstance(ident, dict)
            or len(key) != len(lookup.names)
            or any(part is None or hasattr(part, "__composite_values__") for part in key)
            or not _is_hashable(tuple(key))
            or self._plans.get(lookup.key, UNKNOWN) is None
        ):
            return None
        return lookup.statement, dict(zip(lookup.names, key, strict=True))

    async def _read(
        self, sql: str, arguments: Any, statement: Executable, values: Values
    ) -> tuple[Row, Sequence[Row]]:
        async with self._connect(self._engine) as connection:
            try:
                with self._observers.reading(sql, arguments, connection):
                    found = await self._fetch(
                        self._engine.dialect, connection.dbapi_connection, sql, arguments
                    )
            except SessionRequired:
                raise
            except Exception as error:
                count_read(self._engine, "direct_reads")
                failed = FailedConnection(connection, error)
                try:
                    raise failed.execute_again(self._engine, statement, values)
                finally:
                    if not failed.is_valid:
                        await connection.invalidate(error)
        count_read(self._engine, "direct_reads")
        return found


class Plan:
    """How to execute the statements of one form, and what to make of their rows."""

    def __init__(
        self, execution: Any, entities: Sequence["_Column | _Object"], unique_filters: Any
    ) -> None:
        self.compiled = compiled = execution.compiled
        # An execution context that executes nothing: it chooses how columns are converted.
        self.context: Any = object.__new__(compiled.dialect.execution_ctx_cls)
        self.context.dialect = compiled.dialect
        self.context.statement = execution.statement
        self.converters: dict[Row, list[tuple[int, Callable[[Any], Any]]]] = {}
        self.entities = entities
        self.has_one_object = len(entities) == 1 and isinstance(entities[0], _Object)
        self.unique_filters = unique_filters
        # Raw columns differ between statements of one form, so their metadata is not kept.
        self.metadata = None
        if not any(entity.raw_column for entity in entities):
            self.metadata = self._metadata(None)

    def has_listeners(self) -> bool:
        """Return whether code listens to the loading of these objects."""
        return any(entity.has_listeners() for entity in self.entities)

    def bind(self, values: Values, key: Any) -> tuple[str, Any]:
        """Return the SQL of a statement with this key, and its arguments for the driver."""
        compiled = self.compiled
        given = compiled.construct_params(
            values,
            extracted_parameters=key.bindparams,
            escape_names=False,
            _collected_params=key.params,
        )
        sql, names, processors = compiled.string, compiled.positiontup, compiled._bind_processors
        if compiled.post_compile_params:  # an IN, whose list may have any length
            expanded = compiled.construct_expanded_state(given)
            sql, names, given = expanded.statement, expanded.positiontup, expanded.parameters
            processors = {**processors, **expanded.processors}
        for name, process in processors.items():
            if name in given:
                given[name] = process(given[name])
        return sql, tuple([given[name] for name in names]) if compiled.positional else given

    def result(self, statement: Executable, types: Row, rows: Sequence[Row]) -> Result[Any]:
        """Return the driver's rows as a result."""
        converters = self._converters(tuple(types))
        made: dict[Any, Any] = {}
        found: list[Any] = []
        for row in rows:
            values = list(row)
            for position, convert in converters:
                values[position] = convert(values[position])
            entities = [entity.make(values, made) for entity in self.entities]
            found.append(entities[0] if self.has_one_object else tuple(entities))
        return ChunkedIteratorResult(
            self.metadata or self._metadata(statement),
            lambda _: iter([found]),
            source_supports_scalars=self.has_one_object,
        )

    def _converters(self, types: Row) -> list[tuple[int, Callable[[Any], Any]]]:
        # A migration may change the type of a column, and with it the conversion.
        if types not in self.converters:
            columns = self.compiled._result_columns
            processors = [
                self.context.get_result_processor(column.type, column.keyname, of_driver)
                for column, of_driver in zip(columns, types, strict=True)
            ]
            self.converters[types] = [
                (position, convert) for position, convert in enumerate(processors) if convert
            ]
        return self.converters[types]

    def _metadata(self, statement: Any) -> SimpleResultMetaData:
        return SimpleResultMetaData(
            [entity.label for entity in self.entities],
            [entity.keys(statement) for entity in self.entities],
            _create_unique_filters=self._create_unique_filters,
        )

    def _create_unique_filters(self, result: Any) -> Any:
        if result._yield_per:
            raise InvalidRequestError(
                "Can't use the ORM yield_per feature in conjunction with unique()"
            )
        return self.unique_filters


class _Column:
    """A column in a row of the result."""

    def __init__(self, entity: Any, positions: Row) -> None:
        getter, self.label, self._keys = entity._row_processor
        self._position = getter(positions)
        # A value or a function: SQLAlchemy finds it in a row by the identity of this object.
        self.raw_column = [entity.raw_column_index] if entity.translate_raw_column else []

    def has_listeners(self) -> bool:
        return False

    def keys(self, statement: Any) -> tuple[Any, ...]:
        """Return what finds the column in a row, besides its label."""
        return *self._keys, *(statement._raw_columns[index] for index in self.raw_column)

    def make(self, row: Row, _: object) -> Any:
        return row[self._position]


class _Object:
    """An object in a row of the result, made as SQLAlchemy's loader makes a new one."""

    raw_column: Sequence[int] = ()

    def __init__(self, entity: Any, getters: Any, query: Any, positions: Row) -> None:
        mapper = entity.mapper
        self._events = mapper.class_manager.dispatch
        self._new_instance = mapper.class_manager.new_instance
        self._identity_class = mapper._identity_class
        # An outer join has rows without this object: (a part of) its primary key is NULL.
        self._is_missing = {None}.issuperset if mapper.allow_partial_pks else {None}.intersection
        self._primary_key = itemgetter(*getters["primary_key_getter"](positions))
        self._has_one_key = len(mapper.primary_key) == 1
        quick = getters["cached_populators"]["quick"]
        self._attributes = [(name, getter(positions)) for name, getter in quick]
        self._load_path = entity.path
        self._load_options = query.propagated_loader_options
        self.label = entity._label_name
        self._keys: tuple[Any, ...] = entity._extra_entities

    def has_listeners(self) -> bool:
        return bool(self._events.load or self._events.refresh)

    def keys(self, _: object) -> tuple[Any, ...]:
        return self._keys

    def make(self, row: Row, made: dict[Any, Any]) -> Any:
        """Return the object of a row; `made` has those of other rows."""
        key = self._primary_key(row)
        identity = (self._identity_class, (key,) if self._has_one_key else key, None)
        instance = made.get(identity)
        if instance is None and not self._is_missing(identity[1]):
            made[identity] = instance = self._new_instance()
            attributes = instance_dict(instance)
            for name, position in self._attributes:
                attributes[name] = row[position]
            state = instance_state(instance)
            state.key = identity
            state.load_path = self._load_path
            state.load_options = self._load_options
        return instance


class _Lookup(NamedTuple):
    statement: Select[Any]
    key: Any
    names: Sequence[str]


@lru_cache(maxsize=500)
def _lookup(entity: Any) -> _Lookup | None:
    """Return the statement that `Session.get` executes for a model."""
    mapper = inspect(entity, raiseerr=False)
    if not isinstance(mapper, Mapper) or mapper.inherits:
        return None
    names = [f"pk_{number}" for number, _ in enumerate(mapper.primary_key, start=1)]
    statement = select(entity)
    for column, name in zip(mapper.primary_key, names, strict=True):
        statement = statement.where(column == bindparam(name, type_=column.type))
    return _Lookup(statement, _key(statement).key, names)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _key(statement: Any) -> Any:
    """Return the key of a statement; None if it cannot have a plan."""
    # The key does not contain the execution options.
    if not isinstance(statement, Select) or statement.get_execution_options():
        return None
    return statement._generate_cache_key()


def _plan(engine: Engine, result: Any) -> Plan | None:
    """Return a plan for statements of the form that the session has just read."""
    query = getattr(result, "context", None)
    if not isinstance(query, QueryContext) or type(query.session) is not Session:
        return None
    execution = result.raw.context
    compiled = execution.compiled
    if (
        execution.root_connection.engine is not engine
        or execution.execution_options.keys() - OPTIONS
        or query.query._with_options
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled._cached_metadata is None  # as for `*`, whose columns are not known
    ):
        return None
    positions = tuple(range(len(compiled._result_columns)))
    entities = [_entity_plan(each, query, positions) for each in query.compile_state._entities]
    if None in entities:
        return None
    return Plan(execution, entities, result._metadata._create_unique_filters(result))


def _entity_plan(entity: Any, query: Any, positions: Row) -> Any:
    """Return how to make one of the things that a statement selects; None if that is not known."""
    if hasattr(entity, "translate_raw_column"):
        return _Column(entity, positions)
    if not hasattr(entity, "path"):  # a bundle
        return None
    mapper = entity.mapper
    getters = entity.path.get(query.compile_state.attributes, ("getters", mapper), None)
    populators = getters["cached_populators"]
    if (
        mapper.inherits
        or mapper.polymorphic_map
        or mapper.always_refresh
        or any(populators[name] for name in populators if name != "quick")
        or len(populators["quick"]) != len(mapper.column_attrs)  # an alias may lack columns
        or not NOT_LOADED.issuperset(each.lazy for each in mapper.relationships)
    ):
        return None
    return _Object(entity, getters, query, positions)
