"""Code with and without `sync-driver` findings."""

FOUND = [
    (
        """
        engine = create_async_engine("mysql+pymysql://root:hunter2@db/app")  # !
        """,
        "mysql+aiomysql://...",
    ),
    (
        """
        URL = "sqlite:///./app.db"  # !
        engine = create_async_engine(URL)
        """,
        "sqlite+aiosqlite://...",
    ),
]

ACCEPTED = {
    "the URL of a sync engine, and a URL that is rewritten": """
        from sqlalchemy import create_engine
        URL = "postgresql://db/app"
        sync_engine = create_engine("sqlite:///app.db")
        engine = create_async_engine(URL.replace("postgresql://", "postgresql+asyncpg://"))
        assert URL.startswith("mysql://") is False
        assert not URL.startswith(prefix := "sqlite:///") or URL == "mysql://"
        """,
    "a URL in code without async engines": """
        URL = "postgresql://db/app"
        """,
}
