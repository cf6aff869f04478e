def migration_engine(settings: Settings) -> AsyncEngine:
    """An engine for migrations, which may take as long as they need."""
    return create_engine(
        settings.model_copy(update={"database_statement_timeout": 0, "database_lock_timeout": 60})
    )


@contextmanager
def migrating(connection: Connection) -> Iterator[None]:
    """Let one replica migrate while the others wait for it.

    Takes a connection without an open transaction. Raises `TimeoutError` when another replica
    holds the lock for longer than the engine waits for locks: a minute.
    """
    lock = {"lock": f"alembic {connection.engine.url.database}"[:64]}  # locks are the server's
    with connection.begin():
        if not connection.scalar(text("SELECT get_lock(:lock, @@lock_wait_timeout)"), lock):
            raise TimeoutError("Another process is migrating this database: try again later.")
        # Compare text as PostgreSQL and SQLite do: 'a' is neither 'A' nor 'ä'. Tables inherit it.
        connection.execute(text("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
    try:
        yield
    finally:
        connection.rollback()  # Alembic leaves its last query's transaction open
        with connection.begin():
            connection.execute(text("SELECT release_lock(:lock)"), lock)
