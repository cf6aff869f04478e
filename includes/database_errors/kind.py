class Kind(StrEnum):
    """What went wrong, from the caller's point of view."""

    UNIQUE = "unique"
    FOREIGN_KEY = "foreign key"
    CHECK = "check"
    NOT_NULL = "not null"
    BAD_VALUE = "bad value"  # the database cannot store or compare what the caller sent
    CONFLICT = "conflict"  # a deadlock or a lost race: the same request may succeed next time
    LOCKED = "locked"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"  # no connection, no free one in the pool, or read-only
