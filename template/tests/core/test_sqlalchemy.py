"""The undocumented parts of SQLAlchemy that direct reads use: a release without one fails here."""

# ruff: noqa: SLF001

import tomllib
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.event import registry
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import instance_state

from app.database import Database
from tests.core.things import Thing

UNDOCUMENTED = {
    "statement": "_compile_w_cache _generate_cache_key _raw_columns",
    "key": "bindparams key params",
    "result": "_metadata _yield_per context raw",
    "result._metadata": "_create_unique_filters",
    "query": (
        "attributes compile_state load_options post_load_paths propagated_loader_options query"
        " runid session"
    ),
    "query.query": "_with_options",
    "connection": "_connection_record",
    "connection._connection_record": "starttime",
    "query.compile_state": "_entities attributes current_path",
    "engine": "_compiled_cache",
    "option": "_extra_criteria",
    "loader": "_load_for_path _load_via_parent _query_info",
    "loader._query_info": "load_only_child",
    "execution": "compiled execution_options get_result_processor root_connection statement",
    "compiled": (
        "_bind_processors _cached_metadata _result_columns compile_state"
        " construct_expanded_state dialect"
        " escaped_bind_names literal_execute_params positional positiontup post_compile_params"
    ),
    "object": "_extra_entities _label_name mapper path",
    "getters": "cached_populators primary_key_getter todo",
    "populators": "quick",
    "column": "_row_processor raw_column_index translate_raw_column",
    "mapper": "_identity_class allow_partial_pks always_refresh class_manager polymorphic_map",
    "state": "key load_options load_path",
    "registry": "_key_to_collection",
}


def undocumented_objects(session: Session) -> dict[str, Any]:
    """Return an object of each kind, of a statement that the session reads."""
    statement = select(Thing, Thing.name)
    result: Any = session.execute(statement)
    query, execution = result.context, result.raw.context
    connection: Any = session.connection().connection
    entity, column = query.compile_state._entities
    getters = entity.path.get(query.compile_state.attributes, ("getters", entity.mapper), None)
    option: Any = selectinload(Thing.parts)
    loader: Any = inspect(Thing).relationships["parts"]._get_strategy((("lazy", "selectin"),))
    return {
        "statement": statement,
        "key": statement._generate_cache_key(),
        "result": result,
        "result._metadata": result._metadata,
        "query": query,
        "query.query": query.query,
        "query.compile_state": query.compile_state,
        "connection": connection,
        "connection._connection_record": connection._connection_record,
        "engine": execution.engine,
        "option": option.context[0],
        "loader": loader,
        "loader._query_info": loader._query_info,
        "execution": execution,
        "compiled": execution.compiled,
        "object": entity,
        "getters": getters,
        "populators": getters["cached_populators"],
        "column": column,
        "mapper": entity.mapper,
        "state": instance_state(Thing()),
        "registry": registry,
    }


@pytest.mark.parametrize("kind", UNDOCUMENTED)
async def test_sqlalchemy_has_what_direct_reads_use(database: Database, kind: str) -> None:
    async with database.write() as session:
        objects = await session.run_sync(undocumented_objects)
    found = objects[kind]
    has = found.__contains__ if isinstance(found, dict) else partial(hasattr, found)
    assert [name for name in UNDOCUMENTED[kind].split() if not has(name)] == []


def test_sqlalchemy_stays_below_the_next_minor_release() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    [requirement] = [each for each in project["project"]["dependencies"] if "sqlalchemy[" in each]
    major, minor, *_ = version("sqlalchemy").split(".")
    assert requirement.endswith(f",<{major}.{int(minor) + 1}")
