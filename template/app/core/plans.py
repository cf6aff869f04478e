"""Plans: how to execute the statements of one form, and how to turn their rows into objects."""

# ruff: noqa: SLF001

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Executable
from sqlalchemy.engine import ChunkedIteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm.attributes import instance_dict, instance_state

from app.core.listeners import Events, OtherListeners

Row: TypeAlias = Sequence[Any]
Values: TypeAlias = Mapping[str, Any] | None
# The objects of a read, by their identity keys.
Objects: TypeAlias = dict[Any, Any]


class Plan:
    """How to execute the statements of one form, and what to make of their rows."""

    def __init__(self, compiled: Any, entities: Sequence["Column | Object"]) -> None:
        self.compiled = compiled
        # An execution context that executes nothing: it chooses how columns are converted.
        self.context: Any = object.__new__(compiled.dialect.execution_ctx_cls)
        self.context.dialect = compiled.dialect
        self.context.statement = compiled.string
        self.converters: dict[Row, list[tuple[int, Callable[[Any], Any]]]] = {}
        self.entities = entities
        self.has_one_object = len(entities) == 1 and isinstance(entities[0], Object)
        self._make = entities[0].make if self.has_one_object else self._make_row
        self.collections: list[Any] = []  # each a `Collection`
        self.listeners = OtherListeners(event for entity in entities for event in entity.events)
        self.unique_filters: Any = None
        # Raw columns differ between statements of one form, so their metadata is not kept.
        self.metadata = None
        if not any(entity.raw_column for entity in entities):
            self.metadata = self._metadata(None)

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

    def convert(self, types: Row, rows: Sequence[Row], objects: Objects) -> list[Any]:
        """Return the driver's rows as those of a result; `objects` has and gets their objects."""
        converters = self._converters(tuple(types))
        converted: list[Any] = []
        for row in rows:
            values = list(row)
            for position, convert in converters:
                values[position] = convert(values[position])
            converted.append(self._make(values, objects))
        return converted

    def _make_row(self, row: Row, objects: Objects) -> tuple[Any, ...]:
        return tuple([entity.make(row, objects) for entity in self.entities])

    def result(self, statement: Executable, converted: list[Any]) -> Result[Any]:
        """Return converted rows as a result."""
        return ChunkedIteratorResult(
            self.metadata or self._metadata(statement),
            lambda _: iter([converted]),
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


class Column:
    """A column in a row of the result."""

    events: Events = ()

    def __init__(self, entity: Any, positions: Row) -> None:
        getter, self.label, self._keys = entity._row_processor
        self._position = getter(positions)
        # A value or a function: SQLAlchemy finds it in a row by the identity of this object.
        self.raw_column = [entity.raw_column_index] if entity.translate_raw_column else []

    def keys(self, statement: Any) -> tuple[Any, ...]:
        """Return what finds the column in a row, besides its label."""
        return *self._keys, *(statement._raw_columns[index] for index in self.raw_column)

    def make(self, row: Row, _: object) -> Any:
        return row[self._position]


class Object:
    """An object in a row of the result, made as SQLAlchemy's loader makes a new one."""

    raw_column: Sequence[int] = ()

    def __init__(self, entity: Any, getters: Any, query: Any, positions: Row) -> None:
        mapper = entity.mapper
        events = mapper.class_manager.dispatch
        self.events: Events = ((events, "load"), (events, "refresh"))
        self._new_instance = mapper.class_manager.new_instance
        self._identity_class = mapper._identity_class
        # An outer join has rows without this object: (a part of) its primary key is NULL.
        self._is_missing = {None}.issuperset if mapper.allow_partial_pks else {None}.intersection
        self._primary_key = getters["primary_key_getter"](positions)
        quick = getters["cached_populators"]["quick"]
        self._attributes = [(name, getter(positions)) for name, getter in quick]
        above = query.compile_state.current_path
        self.load_path = above + entity.path if above.path else entity.path
        self._load_options = query.propagated_loader_options
        self.label = entity._label_name
        self._keys: tuple[Any, ...] = entity._extra_entities

    def keys(self, _: object) -> tuple[Any, ...]:
        return self._keys

    def make(self, row: Row, objects: Objects) -> Any:
        """Return the object of a row."""
        key = tuple(map(row.__getitem__, self._primary_key))
        identity = (self._identity_class, key, None)
        instance = objects.get(identity)
        if instance is None and not self._is_missing(key):
            objects[identity] = instance = self._new_instance()
            attributes = instance_dict(instance)
            for name, position in self._attributes:
                attributes[name] = row[position]
            state = instance_state(instance)
            state.key = identity
            state.load_path = self.load_path
            state.load_options = self._load_options
        return instance
