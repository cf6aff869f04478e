"""Parsing and validation of DATABASE_URL."""

from collections.abc import Collection

from sqlalchemy import URL, make_url

from app.settings import Settings


def parse_database_url(
    settings: Settings, expected: str, schemes: Collection[str], options: Collection[str]
) -> URL:
    """Return DATABASE_URL, parsed.

    Raises `ValueError`, without the password, unless it has one of the schemes and only known
    query parameters.
    """
    written = settings.database_url.get_secret_value()
    scheme, separator, _ = written.partition("://")
    if not separator or scheme not in schemes:
        found = f"{scheme}://" if separator else "a string without ://"
        raise ValueError(f"DATABASE_URL must start with {expected}://, not with {found}")
    try:
        url = make_url(written)
    except ValueError:
        raise ValueError("DATABASE_URL has a port that is not a number") from None
    if unknown := set(url.query) - set(options):
        raise ValueError(f"DATABASE_URL has an unknown query parameter: {min(unknown)}")
    return url
