def migration_engine(settings: Settings) -> AsyncEngine:
    """An engine for migrations, which wait for each other up to a minute."""
    return create_engine(settings.model_copy(update={"database_lock_timeout": 60}))


@contextmanager
def migrating(connection: Connection) -> Iterator[None]:
    """Let one process migrate while the others wait, and let it rebuild tables.

    Takes a connection without an open transaction: the pragma does nothing inside one. SQLite
    changes a column by copying its table, and dropping the old copy must not cascade.
    """
    connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()
