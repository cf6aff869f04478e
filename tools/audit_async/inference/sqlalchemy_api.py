"""The part of SQLAlchemy's API that the inference knows."""

from audit_async.inference.values import Kind, Value


def words(text: str) -> set[str]:
    return set(text.split())


COROUTINE_METHODS: dict[Kind, set[str]] = {
    "AsyncSession": words(
        "aclose close commit connection delete delete_all exec execute flush get get_one "
        "invalidate merge merge_all refresh reset rollback run_sync scalar scalars stream "
        "stream_scalars"
    ),
    "AsyncConnection": words(
        "aclose close commit exec_driver_sql execute execution_options get_isolation_level "
        "get_raw_connection invalidate rollback run_sync scalar scalars"
    ),
    "AsyncEngine": {"dispose"},
    "AsyncResult": words(
        "all close fetchall fetchmany fetchone first one one_or_none scalar scalar_one "
        "scalar_one_or_none"
    ),
}
RESULT_METHODS = words(
    "all columns fetchall fetchmany fetchone first keys mappings one one_or_none scalar "
    "scalar_one scalar_one_or_none scalars tuples unique"
)
PLAIN_METHODS: dict[Kind, set[str]] = {
    "AsyncSession": words(
        "add add_all expire expire_all expunge expunge_all get_bind in_transaction is_modified"
    ),
    "AsyncConnection": {"in_transaction", "in_nested_transaction"},
    "AsyncResult": {"columns", "keys", "mappings", "scalars", "tuples", "unique", "yield_per"},
    "Result": RESULT_METHODS,
    "ScalarResult": RESULT_METHODS,
}
# Attributes of a sync session that do not need the database.
LOCAL_ATTRIBUTES = PLAIN_METHODS["AsyncSession"] | {
    "bind",
    "get_transaction",
    "identity_map",
    "info",
    "new",
}

ASYNC_COUNTERPART: dict[Kind, Kind] = {
    "Session": "AsyncSession",
    "Connection": "AsyncConnection",
}
SYNC_KINDS = frozenset(ASYNC_COUNTERPART)
ASYNC_KINDS = frozenset(ASYNC_COUNTERPART.values())
ITERABLE_KINDS = frozenset({"AsyncResult", "Result", "ScalarResult", "generator", "list"})

CLASSES: dict[str, Kind] = {
    "AsyncSession": "AsyncSession",
    "AsyncConnection": "AsyncConnection",
    "AsyncEngine": "AsyncEngine",
    "AsyncResult": "AsyncResult",
    "AsyncScalarResult": "AsyncResult",
    "Session": "Session",
    "Connection": "Connection",
    "Engine": "Engine",
    "Result": "Result",
    "ScalarResult": "ScalarResult",
}
FACTORIES: dict[str, Kind] = {
    "async_sessionmaker": "AsyncSession",
    "async_scoped_session": "AsyncSession",
    "sessionmaker": "Session",
    "scoped_session": "Session",
}


def external(dotted: str) -> Value:
    """A name that the code base does not define."""
    root, _, name = dotted.rpartition(".")
    if root.split(".")[0] not in ("sqlalchemy", "sqlmodel"):
        return Value("external", name=dotted)
    if name in CLASSES:
        return Value("type", of=Value(CLASSES[name]))
    return Value("external", name=f"sqlalchemy.{name}")
