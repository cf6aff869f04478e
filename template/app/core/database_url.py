"""Parsing and validation of DATABASE_URL."""

import re
from collections.abc import Collection
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from urllib.parse import unquote

from sqlalchemy import URL, make_url

from app.settings import Settings

# User and password may contain any character but @, as in SQLAlchemy's own parser.
HOSTS = re.compile(r"(?P<before>[^:]+://(?:[^:/@]*(?::[^@]*)?@)?)(?P<hosts>[^/?]*)")


def parse_database_url(
    settings: Settings, expected: str, schemes: Collection[str], options: Collection[str]
) -> URL:
    """Return DATABASE_URL, parsed; several or encoded hosts are in its query parameter `host`.

    Raises `ValueError`, without the password, unless it has one of the schemes and only known
    query parameters.
    """
    written = settings.database_url.get_secret_value()
    scheme, separator, _ = written.partition("://")
    if not separator or scheme not in schemes:
        found = f"{scheme}://" if separator else "a string without ://"
        raise ValueError(f"DATABASE_URL must start with {expected}://, not with {found}")
    hosts: list[str] = []
    if (match := HOSTS.match(written)) and re.search("[,%]", match["hosts"]):
        if "host" in options:
            hosts = [unquote(host) for host in match["hosts"].split(",")]
            written = match["before"] + written[match.end() :]
        elif "," in match["hosts"]:
            raise ValueError("DATABASE_URL names several hosts: name one, such as that of a proxy")
    try:
        url = make_url(written)
    except ValueError:
        raise ValueError("DATABASE_URL has a port that is not a number") from None
    if hosts:
        url = url.update_query_dict({"host": hosts})
    if unknown := set(url.query) - set(options):
        raise ValueError(f"DATABASE_URL has an unknown query parameter: {min(unknown)}")
    return url


def check_files(url: URL, *parameters: str) -> None:
    """Raise `ValueError` if one of these query parameters names a file that does not exist."""
    for parameter in parameters:
        path = url.query.get(parameter)
        if path is not None and not Path(str(path)).is_file():
            raise ValueError(f"DATABASE_URL: the file of {parameter} does not exist: {path}")


def check_certificates(url: URL, *parameters: str) -> None:
    """Raise `ValueError` if one of these query parameters names a file without a certificate.

    For `sslcrl`, it is a list of revoked certificates.
    """
    check_files(url, *parameters)
    for parameter in parameters:
        path = url.query.get(parameter)
        if path is None:
            continue
        try:
            SSLContext(PROTOCOL_TLS_CLIENT).load_verify_locations(str(path))
        except OSError:  # the file has no certificate, or may not be read
            expected = "revocation list" if parameter == "sslcrl" else "certificate"
            raise ValueError(
                f"DATABASE_URL: the file of {parameter} has no readable {expected}: {path}"
            ) from None
