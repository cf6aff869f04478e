"""The database refuses the service: an operator has changed its role, privileges or database."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.stack import Stack
from tests.faults.test_outages import kill_all_connections

# Roles that may read and write every row.
ROWS = "pg_read_all_data, pg_write_all_data"
# What an operator does, and how it is undone.
POSTGRESQL = {
    "ALTER ROLE service PASSWORD 'changed'": "ALTER ROLE service PASSWORD 'secret'",
    "ALTER ROLE service NOLOGIN": "ALTER ROLE service LOGIN",
    "ALTER ROLE service VALID UNTIL '2001-01-01'": "ALTER ROLE service VALID UNTIL 'infinity'",
    "ALTER ROLE service CONNECTION LIMIT 0": "ALTER ROLE service CONNECTION LIMIT -1",
    "REVOKE CONNECT ON DATABASE {} FROM PUBLIC": "GRANT CONNECT ON DATABASE {} TO PUBLIC",
    "ALTER DATABASE {} CONNECTION LIMIT 0": "ALTER DATABASE {} CONNECTION LIMIT -1",
    "ALTER DATABASE {} ALLOW_CONNECTIONS false": "ALTER DATABASE {} ALLOW_CONNECTIONS true",
    f"REVOKE {ROWS} FROM service": f"GRANT {ROWS} TO service",
}
MYSQL = {
    "ALTER USER service IDENTIFIED BY 'changed'": "ALTER USER service IDENTIFIED BY 'secret'",
    "ALTER USER service ACCOUNT LOCK": "ALTER USER service ACCOUNT UNLOCK",
    "ALTER USER service PASSWORD EXPIRE": "ALTER USER service IDENTIFIED BY 'secret'",
    "RENAME USER service TO service@'10.0.0.1'": "RENAME USER service@'10.0.0.1' TO service",
    "REVOKE ALL ON {}.* FROM service": "GRANT ALL ON {}.* TO service",
    "REVOKE SELECT, INSERT ON {}.* FROM service": "GRANT SELECT, INSERT ON {}.* TO service",
}
REFUSALS = {"postgresql": POSTGRESQL, "mysql": MYSQL}
REQUESTS = [("GET", "/api/v1/projects"), ("POST", "/api/v1/projects"), ("GET", "/health/ready")]


@contextmanager
def role(stack: Stack) -> Iterator[str]:
    """The URL of the database for a role that has no other privileges."""
    if stack.family == "mysql":
        stack.execute("CREATE USER service IDENTIFIED BY 'secret'")
        stack.execute(f"GRANT ALL ON {stack.database}.* TO service")
    else:
        rules = stack.server.folder / "data" / "pg_hba.conf"
        if " service " not in rules.read_text():
            rules.write_text(f"host all service all scram-sha-256\n{rules.read_text()}")
            stack.execute("SELECT pg_reload_conf()")
        stack.execute("CREATE ROLE service LOGIN PASSWORD 'secret'")
        stack.execute(f"GRANT {ROWS} TO service")
    yield f"{stack.family}://service:secret@127.0.0.1:{stack.server.port}/{stack.database}"
    stack.execute("DROP USER service")


@pytest.mark.drivers("asyncpg", further=("psycopg", "aiomysql", "asyncmy"))
def test_refusal_is_a_503_with_one_line_in_the_log_and_no_restart(stack: Stack) -> None:
    with role(stack) as url, stack.serving(url) as service:
        for refuse, accept in REFUSALS[stack.family].items():
            service.call("GET", "/api/v1/projects")
            kill_all_connections(stack)
            stack.server.execute(refuse.format(stack.database))
            logged = len(lines(service.log))
            for number, (method, path) in enumerate(REQUESTS):
                response = service.client.request(method, path, json={"name": f"{number}"})
                assert response.status_code == 503, refuse
                assert response.json()["code"] == "unavailable"
                assert response.headers["retry-after"] == "1"
            new = lines(service.log)[logged:]
            assert len(new) == len(REQUESTS), (refuse, new)
            assert all("WARNING app.core.errors" in line for line in new)
            stack.server.execute(accept.format(stack.database))
            service.call("GET", "/health/ready")
            service.call("GET", "/api/v1/projects")


def lines(log: str) -> list[str]:
    """The lines of a log, without those of each request."""
    return [line for line in log.splitlines() if "app.core.access_log" not in line]
