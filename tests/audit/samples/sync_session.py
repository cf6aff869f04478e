"""Code with and without `sync-session` findings."""

FOUND = [
    (
        """
        async def read(
            db: Session,  # !
        ):
            return db.execute(select(User)).all()
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import sessionmaker
        SessionLocal = sessionmaker(create_engine(url))
        def get_db():
            db = SessionLocal()
            try:
                yield db
            finally:
                db.close()
        async def read(
            db=Depends(get_db),  # !
        ):
            db.commit()
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        """
        from sqlalchemy.orm import sessionmaker
        SessionLocal = sessionmaker(bind=engine)
        async def read():
            with SessionLocal() as db:  # !
                return db.scalars(select(User)).all()
        """,
        "async with async_session() as db:  # an async_sessionmaker",
    ),
    (
        """
        def find(db: Session):
            return db.get(User, 1)
        async def read(db: Session):  # !
            return find(db)
        """,
        "db: AsyncSession, from a dependency that yields an AsyncSession",
    ),
    (
        """
        class Users:
            def __init__(self, session: Session):
                self.session = session
            async def read(self):
                return self.session.get(User, 1)  # !
        """,
        "async with async_session() as session:  # an async_sessionmaker",
    ),
    (
        """
        class Users:
            def __init__(self, session: Session):
                self.session = session
            def all(self):
                return self.session.scalars(select(User)).all()
            def names(self):
                return [user.name for user in self.all()]
        def get_users(session: Annotated[Session, Depends(get_session)]):
            return Users(session)
        async def read(users: Annotated[Users, Depends(get_users)]):
            return users.names()  # !
        """,
        "await users.names(), as `async def` with an AsyncSession",
    ),
    (
        """
        from sqlmodel import Session, create_engine, select
        engine = create_engine(url)
        def find(user_id):
            with Session(engine) as session:
                return session.exec(select(User).where(User.id == user_id)).first()
        async def read(user_id: int):
            return find(user_id)  # !
        """,
        "await find(user_id), as `async def` with an AsyncSession",
    ),
]

ACCEPTED = {
    "a sync function with a session of its own, in a thread": """
        from sqlalchemy.orm import sessionmaker
        maker = sessionmaker(bind=engine)
        def find():
            with maker() as session:
                return session.get(User, 1)
        def dependency():
            with maker() as session:
                yield session
        async def read():
            dependency()
            return await asyncio.to_thread(find)
        """,
    "sync code in a sync function": """
        def read(db: Session):
            time.sleep(1)
            requests.get("https://example.org")
            return db.query(User).all()
        """,
    "sync work in a thread": """
        from fastapi.concurrency import run_in_threadpool
        def find(db: Session):
            return db.query(User).all()
        async def read(db: Session):
            def work():
                time.sleep(1)
                return db.query(User).all()
            await asyncio.to_thread(work)
            await asyncio.to_thread(lambda: time.sleep(1))
            await asyncio.to_thread(time.sleep, 1)
            await run_in_threadpool(find, db)
        """,
    "a sync session inside `run_sync`": """
        def find(db: Session):
            return db.query(User).all()
        async def read(session: AsyncSession):
            await session.run_sync(find)
            return await session.run_sync(lambda db: db.query(User).all())
        """,
    "a `Session` that is not SQLAlchemy's": """
        from app.models import Session
        async def read(session: Session):
            return session.execute()
        """,
    "a `get_db` dependency that yields an async session": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def get_db():
            async with maker() as db:
                yield db
        async def read(db=Depends(get_db)):
            await db.commit()
        """,
    "an engine that may be sync or async": """
        from sqlalchemy import create_engine
        def connect(is_async):
            return create_async_engine(url) if is_async else create_engine(url)
        def read():
            with connect(False).connect() as connection:
                connection.execute(query)
                connection.commit()
        """,
}
