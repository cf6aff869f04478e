def database_name(server: URL, label: str) -> str:
    """A database's name. Raises `ValueError` unless the one in the URL is made for tests."""
    name = server.database or ""
    if not name.endswith("_test"):
        raise ValueError(
            f"TEST_DATABASE_URL names the database {name!r}: tests empty it, so its name must"
            " end in _test"
        )
    return f"{name.removesuffix('_test')}_{label}_test"
