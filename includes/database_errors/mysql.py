NUMBERS = {
    1020: Kind.CONFLICT,  # the row changed since it was read
    1021: Kind.UNAVAILABLE,  # disk full
    1040: Kind.UNAVAILABLE,  # too many connections
    1048: Kind.NOT_NULL,
    1053: Kind.UNAVAILABLE,  # shutting down
    1062: Kind.UNIQUE,
    1077: Kind.UNAVAILABLE,
    1114: Kind.UNAVAILABLE,  # table full
    1203: Kind.UNAVAILABLE,
    1205: Kind.LOCKED,
    1213: Kind.CONFLICT,  # deadlock
    1216: Kind.FOREIGN_KEY,
    1217: Kind.FOREIGN_KEY,
    1226: Kind.UNAVAILABLE,
    1264: Kind.BAD_VALUE,  # out of range
    1265: Kind.BAD_VALUE,
    1267: Kind.BAD_VALUE,  # illegal mix of collations
    1290: Kind.UNAVAILABLE,  # read-only
    1292: Kind.BAD_VALUE,
    1300: Kind.BAD_VALUE,  # invalid character string
    1317: Kind.TIMEOUT,
    1364: Kind.NOT_NULL,
    1366: Kind.BAD_VALUE,
    1406: Kind.BAD_VALUE,  # too long
    1411: Kind.BAD_VALUE,
    1451: Kind.FOREIGN_KEY,
    1452: Kind.FOREIGN_KEY,
    1586: Kind.UNIQUE,
    1614: Kind.CONFLICT,
    1690: Kind.BAD_VALUE,
    1792: Kind.UNAVAILABLE,  # read-only
    1836: Kind.UNAVAILABLE,  # read-only
    1927: Kind.UNAVAILABLE,  # connection killed
    1969: Kind.TIMEOUT,
    2002: Kind.UNAVAILABLE,
    2003: Kind.UNAVAILABLE,
    2006: Kind.UNAVAILABLE,
    2013: Kind.UNAVAILABLE,
    2014: Kind.UNAVAILABLE,
    3024: Kind.TIMEOUT,
    3140: Kind.BAD_VALUE,  # invalid JSON
    3141: Kind.BAD_VALUE,
    3572: Kind.LOCKED,
    3819: Kind.CHECK,
    3854: Kind.BAD_VALUE,
    3988: Kind.BAD_VALUE,
    4025: Kind.CHECK,
    4031: Kind.UNAVAILABLE,
}

# How the servers name what refused a row: MySQL writes `table.key`, MariaDB the key alone.
CONSTRAINT = re.compile(r"for key '(?:[^'.]+\.)?([^']+)'|CONSTRAINT `([^`]+)`")
