def migration_engine(settings: Settings) -> AsyncEngine:
    """An engine for migrations, which may take as long as they need."""
    if settings.database_pgbouncer:
        # The lock below belongs to the server's session, which PgBouncer would give to others.
        raise ValueError("Migrations connect directly: not with DATABASE_PGBOUNCER")
    return create_engine(
        settings.model_copy(update={"database_statement_timeout": 0, "database_lock_timeout": 60})
    )


@contextmanager
def migrating(connection: Connection) -> Iterator[None]:
    """Let one replica migrate while the others wait for it.

    Takes a connection without an open transaction. The lock belongs to the server's session,
    so it survives the transactions that migrations begin and end.
    """
    # Not `pg_advisory_lock`: while that waits it has a snapshot, for whose end a CREATE INDEX
    # CONCURRENTLY of the other replica would wait.
    while not _try_lock(connection):
        await_only(asyncio.sleep(0.2))
    try:
        yield
    finally:
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_unlock(hashtext('alembic'))"))


def _try_lock(connection: Connection) -> bool:
    with connection.begin():
        taken: bool = connection.execute(
            text("SELECT pg_try_advisory_lock(hashtext('alembic'))")
        ).scalar_one()
    return taken
