"""The database refuses the service: an operator has changed its role, privileges or database."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.stack import Stack
from tests.faults.test_outages import kill_all_connections

# What an operator does, and how it is undone.
POSTGRESQL = {
    "ALTER ROLE service PASSWORD 'changed'": "ALTER ROLE service PASSWORD 'secret'",
    "ALTER ROLE service NOLOGIN": "ALTER ROLE service LOGIN",
    "ALTER ROLE service VALID UNTIL '2001-01-01'": "ALTER ROLE service VALID UNTIL 'infinity'",
    "ALTER ROLE service CONNECTION LIMIT 0": "ALTER ROLE service CONNECTION LIMIT -1",
    "REVOKE CONNECT ON DATABASE {} FROM PUBLIC": "GRANT CONNECT ON DATABASE {} TO PUBLIC",
    "ALTER DATABASE {} CONNECTION LIMIT 0": "ALTER DATABASE {} CONNECTION LIMIT -1",
    "ALTER DATABASE {} ALLOW_CONNECTIONS false": "ALTER DATABASE {} ALLOW_CONNECTIONS true",
    "REVOKE {} FROM service": "GRANT {} TO service",
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
    """The URL of the database for a role without any other privileges."""
    if stack.family == "postgresql":
        rules = stack.server.folder / "data" / "pg_hba.conf"
        trusting = rules.read_text()
        rules.write_text(f"host all service all scram-sha-256\n{trusting}")
        stack.execute("SELECT pg_reload_conf()")
        stack.execute("CREATE ROLE service LOGIN PASSWORD 'secret'")
        stack.execute("GRANT pg_read_all_data, pg_write_all_data TO service")
    else:
        stack.execute("CREATE USER service IDENTIFIED BY 'secret'")
        stack.execute(f"GRANT ALL ON {stack.database}.* TO service")
    yield f"{stack.family}://service:secret@127.0.0.1:{stack.server.port}/{stack.database}"
    if stack.family == "postgresql":
        rules.write_text(trusting)
    stack.execute("DROP ROLE service" if stack.family == "postgresql" else "DROP USER service")


@pytest.mark.drivers("asyncpg", "aiomysql", further=("psycopg", "asyncmy"))
def test_refusal_is_a_503_with_one_line_in_the_log_and_no_restart(stack: Stack) -> None:
    with role(stack) as url, stack.serving(url) as service:
        for refuse, accept in REFUSALS[stack.family].items():
            name = stack.database
            if refuse == "REVOKE {} FROM service":
                name = "pg_read_all_data, pg_write_all_data"
            service.call("GET", "/api/v1/projects")
            kill_all_connections(stack)
            stack.server.execute(refuse.format(name))
            logged = len(lines(service.log))
            for number, (method, path) in enumerate(REQUESTS):
                response = service.client.request(method, path, json={"name": f"{number}"})
                assert response.status_code == 503, refuse
                assert response.json()["code"] == "unavailable"
                assert response.headers["retry-after"] == "1"
            new = lines(service.log)[logged:]
            assert len(new) == len(REQUESTS), (refuse, new)
            assert all("WARNING app.core.errors" in line for line in new)
            stack.server.execute(accept.format(name))
            service.call("GET", "/health/ready")
            service.call("GET", "/api/v1/projects")


def lines(log: str) -> list[str]:
    """The lines of a log, without those of each request."""
    return [line for line in log.splitlines() if "HTTP/1.1" not in line]
