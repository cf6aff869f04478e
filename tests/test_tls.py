"""URLs of databases with TLS, as hosting platforms hand them out, on every driver."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template

import pytest

from harness.certificates import Authority
from harness.parts import nightly
from harness.rendering import ROOT
from harness.servers import Server, running
from harness.tls import PASSWORD, TLSMariaDB, TLSPostgreSQL
from harness.variants import Variant

ENCRYPTED = "encrypted"
# The ends of URLs, and what happens: a connection with TLS, or the remedy that is shown. $CA signed
# the server's certificate, which is for localhost; this machine trusts it. $OTHER did not.
POSTGRESQL = {
    "@localhost:$PORT/app": ENCRYPTED,
    "@localhost:$PORT/app?sslmode=require": ENCRYPTED,
    "@localhost:$PORT/app?sslmode=require&channel_binding=require": ENCRYPTED,
    "@localhost:$PORT/app?ssl=true": ENCRYPTED,
    "@localhost:$PORT/app?sslmode=verify-full&sslrootcert=$CA": ENCRYPTED,
    "@localhost:$PORT/app?sslrootcert=system": ENCRYPTED,
    "@127.0.0.1:$PORT/app?sslmode=verify-ca&sslrootcert=$CA": ENCRYPTED,
    "@127.0.0.1:$PORT/app?sslmode=verify-full&sslrootcert=$CA": "Name the host",
    "@127.0.0.1:$PORT/app?sslrootcert=system": "Name the host",
    "@localhost:$PORT/app?sslmode=verify-ca&sslrootcert=$OTHER": "Set sslrootcert",
    # As in libpq: a named authority is verified.
    "@localhost:$PORT/app?sslmode=require&sslrootcert=$OTHER": "Set sslrootcert",
    "@localhost:$PORT/app?sslmode=verify-full": "Set sslrootcert",
    "@localhost:$PORT/app?sslmode=require&sslcert=$CA": "Set sslcert and sslkey",
    "@localhost:$PORT/app?sslmode=disable": "accepts only TLS",
    "@localhost:$PLAIN/postgres?sslmode=require": "has no TLS",
    "@localhost:1,localhost:$PORT/app?sslmode=require&target_session_attrs=primary": ENCRYPTED,
    "@/app?host=localhost:1&host=localhost:$PORT&sslmode=require": ENCRYPTED,
    "@localhost:1,localhost:$PORT/app?target_session_attrs=standby&sslmode=require": "",
}
MYSQL = {
    "@localhost:$PORT/app?ssl-mode=REQUIRED": ENCRYPTED,
    "@localhost:$PORT/app?ssl=true": ENCRYPTED,
    "@localhost:$PORT/app?sslaccept=strict": ENCRYPTED,
    '@localhost:$PORT/app?ssl={"rejectUnauthorized":true}': ENCRYPTED,
    "@localhost:$PORT/app?ssl-mode=VERIFY_IDENTITY&ssl-ca=$CA": ENCRYPTED,
    "@localhost:$PORT/app?ssl_ca=$CA": ENCRYPTED,
    "@127.0.0.1:$PORT/app?ssl_ca=$CA": "Name the host",
    "@127.0.0.1:$PORT/app?ssl_ca=$CA&ssl_check_hostname=false": ENCRYPTED,
    "@127.0.0.1:$PORT/app?ssl-mode=VERIFY_CA&ssl-ca=$CA": ENCRYPTED,
    "@localhost:$PORT/app?ssl-mode=REQUIRED&ssl-ca=$OTHER": "Set ssl-ca",
    "@localhost:$PORT/app": "add ?ssl-mode=REQUIRED",
    "@localhost:$PORT/app?ssl-mode=DISABLED": "add ?ssl-mode=REQUIRED",
    "@127.0.0.1:$PLAIN/information_schema?ssl-mode=REQUIRED": "has no TLS",
}
URLS = {"postgresql": POSTGRESQL, "mysql": MYSQL}
KINDS: dict[str, type[Server]] = {"postgresql": TLSPostgreSQL, "mysql": TLSMariaDB}
# Tries each URL with the asynchronous engine, with the synchronous one, and as tools/transfer.py
# reads it: `encrypted`, `plain`, or the remedy.
PROGRAM = """
import asyncio, json, runpy, sys
from types import SimpleNamespace
import sqlalchemy
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from app.core.connection_errors import diagnose
from app.core.engines import create_engine, create_sync_engine
from app.settings import Settings

transfer = SimpleNamespace(**runpy.run_path(sys.argv[1]))
STATEMENTS = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mysql": "SHOW STATUS LIKE 'Ssl_cipher'",
}

def found(rows):
    return "encrypted" if rows.one()[-1] else "plain"

async def attempt(url):
    settings = Settings(_env_file=None, environment="test", database_url=SecretStr(url))
    engine = create_engine(settings)
    statement = text(STATEMENTS[engine.dialect.name])
    try:
        async with engine.connect() as connection:
            result = found(await connection.execute(statement))
    except SQLAlchemyError as error:
        result = diagnose(error)[1]
    await engine.dispose()
    engine = create_sync_engine(settings)
    try:
        with engine.connect() as connection:
            second = found(connection.execute(statement))
    except SQLAlchemyError:
        second = "refused"
    engine.dispose()
    engine = sqlalchemy.create_engine(transfer.database_url(url))
    try:
        with engine.connect() as connection:
            third = found(connection.execute(statement))
    except SQLAlchemyError:
        third = "refused"
    return result, second, third

async def main():
    print(json.dumps([await attempt(url) for url in json.load(sys.stdin)]))

asyncio.run(main())
"""


@pytest.fixture(params=["postgresql", "mysql"], scope="module")
def secure(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(KINDS[request.param]) as server:
        yield server


@pytest.mark.parametrize(
    ("secure", "driver"),
    [
        ("postgresql", "asyncpg"),
        nightly("postgresql", "psycopg"),
        ("mysql", "aiomysql"),
        nightly("mysql", "asyncmy"),
    ],
    indirect=["secure"],
)
def test_urls_of_hosting_platforms_work_and_failures_name_tls(
    secure: TLSPostgreSQL | TLSMariaDB,
    driver: str,
    servers: Callable[[str], Server],
    rendered: Callable[[Variant], Path],
    tmp_path: Path,
) -> None:
    family = "mysql" if isinstance(secure, TLSMariaDB) else "postgresql"
    values = {
        "PORT": secure.port,
        "PLAIN": servers(family).port,
        "CA": secure.authority.file,
        "OTHER": Authority(tmp_path, "other").file,
    }
    urls = []
    for end in URLS[family]:
        user = f"ada:{PASSWORD}" if "$PORT" in end else secure.address.partition("@")[0]
        urls.append(f"{family}://{user}{Template(end).substitute(values)}")
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / "tools" / "transfer.py")],
        cwd=rendered(Variant(driver, sync_session=True)),
        env=os.environ | {"SSL_CERT_FILE": str(secure.authority.file), "HOME": str(tmp_path)},
        input=json.dumps(urls),
        capture_output=True,
        text=True,
        check=False,
    )
    assert output.returncode == 0, output.stderr
    results = json.loads(output.stdout)
    for (end, expected), (result, *others) in zip(URLS[family].items(), results, strict=True):
        assert expected in result, end
        assert (result == ENCRYPTED) is (expected == ENCRYPTED), end
        if "ssl" in end and "ssl-mode=DISABLED" not in end:  # PyMySQL uses TLS on its own
            assert others == [ENCRYPTED if expected == ENCRYPTED else "refused"] * 2, end
