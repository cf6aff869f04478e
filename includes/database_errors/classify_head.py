def classify(error: Exception) -> Kind | None:
    """The kind of a SQLAlchemy error; None for one that is a mistake in this service."""
    if isinstance(error, exc.TimeoutError):  # every connection of the pool stayed in use
        return Kind.UNAVAILABLE
    if isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError):
        # A type on a model refused the value before it was sent.
        return Kind.BAD_VALUE if isinstance(error.orig, ValueError | OverflowError) else None
    if not isinstance(error, exc.DBAPIError):
        return None
    if error.connection_invalidated:
        return Kind.UNAVAILABLE
