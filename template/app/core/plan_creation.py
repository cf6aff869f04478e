"""Create a plan from a result of the session, which shows how SQLAlchemy reads its statement.

The result has the SQL, the processors of values and columns, the positions of attributes in a row,
and the loaders of relationships. Much of this is undocumented: `tests/core/test_sqlalchemy.py`
names it.
"""

# ruff: noqa: SLF001

from collections import defaultdict
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import IteratorResult
from sqlalchemy.orm import Load, Session
from sqlalchemy.orm.context import QueryContext

from app.core.loaded_collections import Collection, Recorder
from app.core.plans import Column, Object, Plan

# Execution options of this package and of SQLAlchemy. A statement with another one has no plan.
OPTIONS = {
    "_result_disable_adapt_to_context",
    "_sa_orm_load_options",
    "isolation_level",
    "only_reads",
    "prebuffer_rows",
    "sqlite_begin",
}


class NotExecuted(Exception):
    """There is no plan yet: a collection was not loaded, because no row has one."""


def create_plan(engine: Engine, result: Any) -> Plan | None:
    """Return a plan for statements of the form that the session has just read; None without one.

    Raises `NotExecuted` if another read of this form may show more.
    """
    query = getattr(result, "context", None)
    if not isinstance(query, QueryContext) or type(query.session) is not Session:
        return None
    execution = result.raw.context
    if (
        execution.root_connection.engine is not engine
        or execution.execution_options.keys() - OPTIONS
        or (plan := _plan(execution.compiled, query)) is None
    ):
        return None
    plan.unique_filters = result._metadata._create_unique_filters(result)
    collections = [
        _collection(engine, query, plan, *loader)
        for loads in query.post_load_paths.values()
        for loader in loads.loaders.values()
    ]
    query.post_load_paths.clear()
    for collection in collections:
        if collection is None:
            return None
        plan.collections.append(collection)
        plan.listeners.events += collection.plan.listeners.events
    return plan


def _is_plain(option: Any) -> bool:
    """Return whether an option chooses how to load, and adds no conditions."""
    return type(option) is Load and not any(each._extra_criteria for each in option.context)


def _plan(compiled: Any, query: Any) -> Plan | None:
    if (
        not all(map(_is_plain, query.query._with_options))
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled._cached_metadata is None  # as for `*`, whose columns are not known
    ):
        return None
    entities = [_entity_plan(each, query, compiled) for each in query.compile_state._entities]
    return None if None in entities else Plan(compiled, entities)


def _entity_plan(entity: Any, query: Any, compiled: Any) -> Any:
    """Return how to make one of the things that a statement selects; None if that is not known."""
    positions = tuple(range(len(compiled._result_columns)))
    if hasattr(entity, "translate_raw_column"):
        return Column(entity, positions)
    if not hasattr(entity, "path"):  # a bundle
        return None
    mapper, path = entity.mapper, entity.path
    getters = path.get(query.compile_state.attributes, ("getters", mapper), None)
    columns = getters["cached_populators"]
    if (
        mapper.inherits
        or mapper.polymorphic_map
        or mapper.always_refresh
        or any(columns[name] for name in columns if name != "quick")
        or len(columns["quick"]) != len(mapper.column_attrs)  # an alias may lack columns
    ):
        return None
    # Loaders of relationships add themselves to `populators` or to `query.post_load_paths`.
    populators: Any = defaultdict(list)
    empty: Any = IteratorResult(compiled._cached_metadata, iter(()))
    for relationship in getters["todo"]:
        relationship.create_row_processor(query, entity, path, mapper, empty, None, populators)
    if any(populators.values()):
        return None
    return Object(entity, getters, query, positions)


def _collection(engine: Engine, query: Any, plan: Plan, *loads: Any) -> Collection | None:
    """Return how a loader of the session loads a collection; None if that is not known."""
    _, _, _, load, arguments, _ = loads
    parent: Any = plan.entities[0]
    loader: Any = getattr(load, "__self__", None)
    if (
        not plan.has_one_object
        or not hasattr(loader, "_load_via_parent")
        or loader._query_info.load_only_child  # an object that this one refers to
    ):
        return None
    recorder = Recorder(loader)
    type(loader)._load_for_path(recorder, query, parent.load_path, (), None, *arguments)
    info, statement, _, options, chunk_size = recorder.recorded
    compiled, *_ = statement._compile_w_cache(
        engine.dialect, compiled_cache=engine._compiled_cache, column_keys=["primary_keys"]
    )
    if compiled._cached_metadata is None:
        raise NotExecuted
    children = QueryContext(
        *(compiled.compile_state, statement, statement, {}),
        *(query.session, query.load_options, options),
    )
    children.runid, children.post_load_paths = query.runid, {}
    of_children = _plan(compiled, children)
    if of_children is None or children.post_load_paths:  # further collections
        return None
    key = statement._generate_cache_key()
    return Collection(of_children, statement, key, loader, info, chunk_size)
