"""The tests of each variant that are known to fail, with the reason."""

MIGRATION = "tests/core/test_mysql_migrations.py::test_"
ON_A_SERVER = {
    f"{MIGRATION}migration_gives_up_after_waiting_for_another": "get_lock is not used",
    f"{MIGRATION}migration_waits_for_another": "get_lock is not used",
    f"{MIGRATION}statement_that_cannot_get_a_lock_is_retried": "the lock takes a connection",
}
KNOWN = {
    "asyncmy-layered-jwt-all-limits": ON_A_SERVER,
    "aiomysql-by_feature-jwt-all-sync": ON_A_SERVER,
}
REASONS = {reason for failures in KNOWN.values() for reason in failures.values()}
