STATES = {
    "2201W": Kind.BAD_VALUE,  # negative LIMIT
    "2201X": Kind.BAD_VALUE,  # negative OFFSET
    "23001": Kind.FOREIGN_KEY,
    "23502": Kind.NOT_NULL,
    "23503": Kind.FOREIGN_KEY,
    "23505": Kind.UNIQUE,
    "23514": Kind.CHECK,
    "23P01": Kind.UNIQUE,  # exclusion constraint
    "25006": Kind.UNAVAILABLE,  # read-only: a standby, or a failover under way
    "25P03": Kind.UNAVAILABLE,  # idle in transaction for too long
    "25P04": Kind.TIMEOUT,
    "40001": Kind.CONFLICT,
    "40P01": Kind.CONFLICT,
    "55P03": Kind.LOCKED,
    "57014": Kind.TIMEOUT,
    "57P01": Kind.UNAVAILABLE,
    "57P02": Kind.UNAVAILABLE,
    "57P03": Kind.UNAVAILABLE,
    "57P05": Kind.UNAVAILABLE,
}
CLASSES = {
    "08": Kind.UNAVAILABLE,  # connection
    "22": Kind.BAD_VALUE,  # data
    "53": Kind.UNAVAILABLE,  # out of resources
}
