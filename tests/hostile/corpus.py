"""Hostile requests as data: the values that replace each part of a request.

Text with `ECHO` in it must not occur in an error response.
"""

import json
from base64 import urlsafe_b64encode
from typing import Any
from uuid import UUID

ECHO = "d0-not-ech0-me"
QUERY_SECRET = "a-token-in-a-query-string"
NOBODY = str(UUID(int=2**64))
DEEP = "[" * 10_000 + "]" * 10_000
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# Valid bodies; `{name}` is the ID of an existing resource.
BODIES: dict[str, Any] = {
    "UserCreate": {"email": "eve@example.org", "name": "Eve", "password": f"{ECHO} twelve"},
    "UserUpdate": {"email": "eve@example.org", "name": "Eve"},
    "UserAdminUpdate": {"role": "member", "closed": False},
    "PasswordChange": {"current_password": f"{ECHO} wrong", "new_password": f"{ECHO} twelve"},
    "ForgottenPassword": {"email": "eve@example.org"},
    "PasswordReset": {"token": ECHO, "new_password": f"{ECHO} twelve"},
    "Registration": {"email": "eve@example.org"},
    "AddressVerification": {"token": ECHO, "name": "Eve", "password": f"{ECHO} twelve"},
    "AddressChange": {"token": ECHO},
    "RefreshRequest": {"refresh_token": ECHO},
    "LoginRequest": {"email": "eve@example.org", "password": ECHO},
    "TokenForm": {"username": "eve@example.org", "password": ECHO},
    "ApiKeyCreate": {
        "name": "Import",
        "scopes": ["account:read"],
        "expires_at": "2130-01-31T12:00:00Z",
    },
    "ProjectCreate": {"name": "Harbour", "description": "Two\nlines"},
    "ProjectUpdate": {"name": "Harbour", "description": "Two\nlines"},
    "TaskCreate": {
        "title": "Dredge",
        "status": "todo",
        "priority": 3,
        "due_at": "2030-01-31T12:00:00Z",
    },
    "TaskUpdate": {
        "title": "Dredge",
        "status": "todo",
        "priority": 3,
        "due_at": "2030-01-31T12:00:00Z",
    },
    "TaskBatch": {"tasks": [{"title": "Dredge", "due_at": "2030-01-31T12:00:00Z"}]},
    "StationCreate": {"name": "Pier"},
    "StationUpdate": {"name": "Pier"},
    "SensorCreate": {"name": "Water", "unit": "°C"},
    "MeasurementBatch": {"measurements": [{"measured_at": "2030-01-01T00:00:00Z", "value": 1.5}]},
    "BudgetCreate": {"name": "Travel", "credits": 100},
    "TransferCreate": {"source_id": "{budget_id}", "target_id": NOBODY, "credits": 1},
    "PromptCreate": {"budget_id": "{budget_id}", "text": "Why?"},
    "AnswerRatings": {"ratings": [{"id": NOBODY, "rating": 5}]},
}

# JSON values by the kind that they replace; as text, because `json` cannot write all of them.
VALUES = {
    "any": {
        "null": "null",
        "wrong type": "{}",
        "list": "[1]",
        "boolean": "false",
        "int8 overflow": str(2**63),
        "number of 4000 digits": "9" * 4000,
        "NaN": "NaN",
        "deep": DEEP,
        "object in an object": f'{{"a": {{"{ECHO}": 1}}}}',
    },
    "text": {
        "empty": '""',
        "blank": '" \\t\\u00a0\\u2003"',
        "NUL": rf'"{ECHO}\u0000"',
        "lone high surrogate": rf'"{ECHO}\ud800"',
        "lone low surrogate": rf'"\udfff{ECHO}"',
        "control characters": rf'"{ECHO}\u0001\u001b[2J\r\nSet-Cookie: a=b"',
        "four bytes": '"\U0001f680\U00010348\U0010ffff"',
        "right to left": '"\u202e\u05d0\u0627\u200f"',
        "combining": f'"{"e" + chr(0x301) * 60}"',
        "noncharacters": '"\ufffe\uffff\ufdd0\ufeff"',
        "900 kB": f'"{"x" * 900_000}"',
        "SQL": f'"{ECHO}\'; DROP TABLE users; -- \\\\ \\" %s %(a)s :a $1 ? {{0}}"',
        "wildcards": '"%_*\\\\%"',
    },
    "number": {
        "negative": "-1",
        "zero": "-0.0",
        "int4 overflow": str(2**31),
        "uint8 overflow": str(2**64),
        "negative int8 overflow": str(-(2**63) - 1),
        "fraction": "1.0000000000000002",
        "Infinity": "Infinity",
        "-Infinity": "-Infinity",
        "double overflow": "1e999",
        "largest double": "1.7976931348623157e308",
        "smallest double": "5e-324",
        "text": '"1_000"',
        "full-width digits": '"\uff11"',
    },
    "datetime": {
        "year 0": '"0000-01-01T00:00:00Z"',
        "year 1, UTC+14": '"0001-01-01T00:00:00+14:00"',
        "year 9999, UTC-12": '"9999-12-31T23:59:59.999999-12:00"',
        "year 10000": '"10000-01-01T00:00:00Z"',
        "largest offset": '"2030-01-01T00:00:00+23:59"',
        "offset of days": '"2030-01-01T00:00:00+99:00"',
        "leap second": '"2030-06-30T23:59:60Z"',
        "30th of February": '"2030-02-30T00:00:00Z"',
        "no time zone": '"2030-01-01T00:00:00"',
        "nanoseconds": '"2030-01-01T00:00:00.123456789Z"',
        "seconds since 1970": '"1700000000"',
        "text": f'"{ECHO}"',
        "NUL": r'"2030-01-01T00:00:00Z\u0000"',
    },
    "id": {
        "nil": f'"{UUID(int=0)}"',
        "last": f'"{UUID(int=2**128 - 1)}"',
        "braces": f'"{{{NOBODY}}}"',
        "URN": f'"urn:uuid:{NOBODY}"',
        "text": f'"{ECHO}"',
        "lone surrogate": rf'"{NOBODY}\ud800"',
    },
}

# Whole bodies: content type and content. `%s` is a valid body.
CONTENTS: dict[str, tuple[str | None, bytes]] = {
    "nothing": (JSON, b""),
    "null": (JSON, b"null"),
    "list": (JSON, b"[]"),
    "text": (JSON, b'"%s"' % ECHO.encode()),
    "half an object": (JSON, b'{"'),
    "deep list": (JSON, DEEP.encode()),
    "deep object": (JSON, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "deep object within the limit": (JSON, b'{"a":' * 900 + b"1" + b"}" * 900),
    "field name is a lone surrogate": (JSON, rb'{"\ud800": 1}'),
    "field name is NUL": (JSON, rb'{"\u0000": 1}'),
    "field names of Python": (JSON, rb'{"__class__": 1, "__proto__": 1, "self": 1}'),
    "hundred thousand fields": (JSON, json.dumps(dict.fromkeys(map(str, range(80_000)))).encode()),
    "field name of 900 kB": (JSON, b'{"%b": 1}' % (b"x" * 900_000)),
    "900 kB of lists": (JSON, b'{"tasks": [%b[]]}' % (b"[]," * 300_000)),
    "a hundred tasks of twenty unknown fields": (
        JSON,
        json.dumps({"tasks": [dict.fromkeys("abcdefghijklmnopqrst")] * 100}).encode(),
    ),
    "ten thousand fields": (JSON, json.dumps(dict.fromkeys(map(str, range(10_000)))).encode()),
    "invalid UTF-8": (JSON, b'{"name": "\xff\xfe\xc0\x80"}'),
    "surrogates in UTF-8": (JSON, b'{"name": "\xed\xa0\x80"}'),
    "byte order mark": (JSON, b"\xef\xbb\xbf%s"),
    "duplicate field": (JSON, b'{"name": "a", "name": "\\u0000", "name": 1}'),
    "trailing NUL": (JSON, b"%s\x00"),
    "two bodies": (JSON, b"%s%s"),
    "UTF-7": ("application/json; charset=utf-7", b"%s"),
    "unknown charset": ("application/json; charset=nothing", b"%s"),
    "no content type": (None, b"%s"),
    "strange content type": ('multipart/\xff; boundary="', b"%s"),
    "text/plain": ("text/plain", b"%s"),
    "XML": ("application/xml", b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd">'),
    "form": (FORM, b"name=a&username=a&password=%00&title=%ff"),
    "form of invalid UTF-8": (FORM, b"username=%ff%fe&password=%c0%80&grant_type=\xff"),
    "form with NUL": (FORM, b"username=a%00b&password=%00%00"),
    "form with surrogates": (FORM, b"username=%ed%a0%80&password=%ed%bf%bf"),
    "form with duplicate fields": (FORM, b"username=a&username=b&password=c&password=d"),
    "form of ten thousand fields": (FORM, b"&".join(b"a%d=1" % n for n in range(10_000))),
    "form with broken escapes": (FORM, b"username=%&password=%zz&=&&;"),
    "multipart without boundary": ("multipart/form-data", b"--x--"),
    "multipart without end": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: f"),
    "multipart file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="username"; filename="a"\r\n\r\nx\r\n--x--',
    ),
    "10 MB": (JSON, b'{"name": "' + b"x" * 10_000_000 + b'"}'),
    "10 MB form": (FORM, b"username=" + b"x" * 10_000_000),
}

CSV = "text/csv"
CSV_FILE = b"measured_at,value\n2030-01-01T00:00:00Z,1.5\n"
CSV_FILES: dict[str, tuple[str | None, bytes]] = {
    "only the header": (CSV, b"measured_at,value"),
    "UTF-16": (CSV, CSV_FILE.decode().encode("utf-16")),
    "UTF-16 without a byte order mark": (CSV, CSV_FILE.decode().encode("utf-16-be")),
    "Latin-1": (CSV, b"%s2030-01-02T00:00:00Z,\xe9\n"),
    "NUL in a field": (CSV, b"%s2030-01-02T00:00:00Z,1\x00\n"),
    "quote without an end": (CSV, b'%s"2030-01-02T00:00:00Z,1\n2030-01-03T00:00:00Z,2\n'),
    "only quotes": (CSV, b"%s" + b'"' * 900_001),
    "header of 900 kB": (CSV, b"x" * 900_000),
    "line of 900 kB": (CSV, b"%s" + b"1," * 450_000),
    "line of 10 MB": (CSV, b"%s" + b"x" * 10_000_000),
    "900 kB of empty lines": (CSV, b"%s" + b"\n" * 900_000),
    "900 kB of errors": (CSV, b"%s" + b"x\n" * 450_000),
    "formulas": (CSV, b"%s=cmd|' /C calc'!A0,+1\n@SUM(1),-1\n\t=1,1\n"),
    "numbers that are none": (CSV, b"%s2030-01-02T00:00:00Z,nan\n2030-01-03T00:00:00Z,1e999\n"),
    "digits of other scripts": (CSV, "%s2030-01-02T00:00:00Z,\u0661\n".encode()),
    "times that are none": (CSV, b"%s0000-01-01T00:00:00Z,1\n9999-12-31T23:59:59-12:00,1\n"),
    "four bytes": (CSV, "%s\U0001f680,\U0010ffff\n".encode()),
}

# IDs in a path, percent-encoded.
IDS = {
    "number": "1",
    "int8 overflow": str(2**63),
    "text": ECHO,
    "NUL": f"{ECHO}%00",
    "only NUL": "%00",
    "id and NUL": f"{NOBODY}%00",
    "slash": f"{ECHO}%2F..%2F..%2Fetc%2Fpasswd",
    "backslash": f"{ECHO}%5C..%5C",
    "dots": "%2e%2e",
    "line break": f"{ECHO}%0d%0aSet-Cookie:%20a=b",
    "invalid UTF-8": "%ff%fe",
    "surrogate": "%ed%a0%80",
    "four bytes": "%f0%9f%9a%80",
    "twice encoded": "%2500",
    "blank": "%20",
    "braces": f"%7B{NOBODY}%7D",
    "SQL": f"{ECHO}'%20OR%201=1--",
    "long": ECHO * 4000,
    "nil": str(UUID(int=0)),
    "last": str(UUID(int=2**128 - 1)),
}

# Values of query parameters, percent-encoded.
PARAMETERS = {
    "nothing": "",
    "negative": "-1",
    "int4 overflow": str(2**31),
    "int8 overflow": str(2**63),
    "number of 5000 digits": "9" * 5000,
    "1e308": "1e308",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "underscore": "1_0",
    "full-width digit": "%EF%BC%91",
    "NUL": f"{ECHO}%00",
    "invalid UTF-8": "%ff%fe",
    "surrogate": "%ed%a0%80",
    "SQL": f"{ECHO}'%20OR%201=1--",
    "dunder": "__class__",
    "other column": "password_hash",
    "year 0": "0000-01-01T00:00:00Z",
    "year 1, UTC+14": "0001-01-01T00:00:00%2B14:00",
    "year 9999, UTC-12": "9999-12-31T23:59:59-12:00",
    "year 10000": "10000-01-01T00:00:00Z",
    "largest offset": "2030-01-01T00:00:00-23:59",
    "seconds since 1970": "0.5",
    "long": ECHO * 4000,
}

# Whole query strings.
QUERIES = {
    "duplicate parameters": "limit=1&limit=2&sort=name&sort=id&cursor=a&cursor=b",
    "brackets": "limit[]=1&sort[$ne]=1",
    "only delimiters": "&&==&%&;",
    "thousands of fields": "&".join(f"a{n}=1" for n in range(5_000)),
    "NUL": "%00=%00",
    "invalid UTF-8": "%ff=%ff",
    "name of 60 kB": "a" * 60_000,
    "token": f"token={QUERY_SECRET}",
}

# JSON values for the sort key in an otherwise valid cursor.
CURSOR_VALUES = {
    **VALUES["any"],
    **VALUES["text"],
    **VALUES["number"],
    **VALUES["datetime"],
    "text of 600": f'"{"x" * 600}"',
}
del CURSOR_VALUES["deep"], CURSOR_VALUES["900 kB"], CURSOR_VALUES["number of 4000 digits"]


def cursor(content: str | bytes) -> str:
    if isinstance(content, str):
        content = content.encode(errors="surrogatepass")
    return urlsafe_b64encode(content).decode()


CURSORS = {
    "text": ECHO,
    "not ASCII": "%C3%BC",
    "NUL": "%00",
    "one character": "A",
    "broken padding": "e30",
    "not for URLs": "%2B%2F%2B%2F",
    "null": cursor("null"),
    "object": cursor("{}"),
    "number": cursor("1e999"),
    "invalid UTF-8": cursor(b'["\xff"]'),
    "surrogate in UTF-8": cursor(b'["\xed\xa0\x80"]'),
    "too short": cursor('["name"]'),
    "too long": cursor(f'["name", "a", "{NOBODY}", 1]'),
    "deep": cursor("[" * 300 + "]" * 300),
    "id is text": cursor(f'["name", "a", "{ECHO}"]'),
    "id is a number": cursor('["name", "a", 1]'),
    "id is a lone surrogate": cursor(r'["name", "a", "\ud800"]'),
    "unknown sort": cursor(f'["password_hash", "a", "{NOBODY}"]'),
    "pickle": cursor(b"\x80\x04\x95cos\nsystem\n"),
    "huge": "A" * 60_000,
}

# Headers of requests to any endpoint.
HEADERS: dict[str, dict[str, str | bytes]] = {
    "64 kB": {"X-Long": "x" * 64_000},
    "thousand": {f"X-{n}": "x" for n in range(1000)},
    "invalid UTF-8": {"X-Any": b"\xff\xfe"},
    "request id of line breaks": {"X-Request-ID": b"a%0d%0ab\xff"},
    "request id of 10 kB": {"X-Request-ID": ECHO * 1000},
    "wrong Accept": {"Accept": "nothing/at-all;q=9, \xff"},
    "unknown encoding": {"Content-Encoding": "gzip", "Accept-Encoding": "br;q=0"},
    "range": {"Range": "bytes=9999999999999999999-"},
    "override": {"X-HTTP-Method-Override": "DELETE", "X-Forwarded-For": "\xff, ::1, 1"},
    "cookies": {"Cookie": f"a={ECHO}; =; ;;; \xff=" + "x" * 4000},
    "origin": {"Origin": "null", "Referer": ECHO},
    "any version": {"If-Match": "*"},
    "wrong version": {"If-Match": '"999999999999999999999999"'},
    "weak version": {"If-Match": 'W/"1"'},
    "malformed version": {"If-Match": ECHO},
    "version with one quote": {"If-Match": '"'},
    "long version": {"If-Match": '"' + "x" * 10_000 + '"'},
    "many versions": {"If-Match": ", ".join(['"1"'] * 200)},
    # Takes exponential time with a backtracking regular expression.
    "nearly versions": {"If-Match": '"a" , ' * 160 + "a"},
    "version not in ASCII": {"If-Match": b'"\xff"'},
    "malformed tags": {"If-None-Match": ECHO},
    "tag with one quote": {"If-None-Match": '"'},
    "many tags": {"If-None-Match": ", ".join(['W/"1"'] * 5000)},
    "nearly tags": {"If-None-Match": '"a" , ' * 5000 + "a"},
    "spaces and commas": {"If-None-Match": ", " * 10_000 + "\t" * 10_000 + "a"},
    "tag not in ASCII": {"If-None-Match": b'"\xff", *'},
    "idempotency key": {"Idempotency-Key": "a"},
    "empty idempotency key": {"Idempotency-Key": '""'},
    "idempotency key with one quote": {"Idempotency-Key": f'"{ECHO}'},
    "idempotency key not in ASCII": {"Idempotency-Key": b"\xff\xfe"},
    "long idempotency key": {"Idempotency-Key": ECHO * 1000},
}

TOKENS: dict[str, str | bytes] = {
    "nothing": "",
    "scheme alone": "Bearer",
    "other scheme": "Basic Zm9vOmJhcg==",
    "text": f"Bearer {ECHO}",
    "invalid UTF-8": b"Bearer \xff\xfe.\xff.\xff",
    "dots": "Bearer ..",
    "not signed": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "64 kB": "Bearer " + "a" * 64_000,
    "lone surrogate as the subject": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJcdWQ4MDAifQ.AAAA",
}

# Claims of signed tokens.
CLAIMS = (
    *("subject", "name", "preferred_username", "email", "email_verified", "roles"),
    *("iss", "aud", "exp", "iat", "nbf", "typ", "cnf", "nonce", "jti", "scope", "realm_access"),
)

COOKIES: dict[str, str | bytes] = {
    "nothing": "",
    "name alone": "__Host-session",
    "no token": "__Host-session=",
    "text": f"__Host-session={ECHO}",
    "invalid UTF-8": b"__Host-session=\xff\xfe",
    "two tokens": f"__Host-session={ECHO}; __Host-session=x",
    "quoted": f'__Host-session="{ECHO}"',
    "other name": f"__host-session={ECHO}; session={ECHO}",
    "64 kB": "__Host-session=" + "a" * 64_000,
    "three thousand": "; ".join(["__Host-session="] * 3000),
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
