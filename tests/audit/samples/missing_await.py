"""Code with and without `missing-await` findings."""

FOUND = [
    (
        """
        async def save(session: AsyncSession):
            session.commit()  # !
        """,
        "await session.commit()",
    ),
    (
        """
        async def read(session: AsyncSession):
            users = session.execute(select(User)).scalars().all()  # !
            return users
        """,
        "users = (await session.execute(select(User))).scalars().all()",
    ),
    (
        """
        async def read(session: AsyncSession):
            user = session.get(User, 1)  # !
            return user.name
        """,
        "user = await session.get(User, 1)",
    ),
    (
        """
        Db = Annotated[AsyncSession, Depends(get)]
        async def read(db: Db):
            for user in db.scalars(select(User)):  # !
                print(user)
        """,
        "await db.scalars(select(User))",
    ),
    (
        """
        maker = async_sessionmaker(engine)
        async def save():
            async with maker() as session:
                session.add(User())
                session.flush()  # !
        """,
        "await session.flush()",
    ),
    (
        """
        @asynccontextmanager
        async def transaction():
            async with AsyncSession(engine) as session:
                yield session
        async def save():
            async with transaction() as tx:
                tx.delete(user)  # !
        """,
        "await tx.delete(user)",
    ),
    (
        """
        class Users:
            def __init__(self, session: AsyncSession):
                self.session = session
            async def save(self):
                self.session.refresh(user)  # !
        """,
        "await self.session.refresh(user)",
    ),
    (
        """
        engine = create_async_engine(url)
        async def ping():
            async with engine.connect() as connection:
                return connection.execute(query).one()  # !
        """,
        "return (await connection.execute(query)).one()",
    ),
    (
        """
        async def save(session: AsyncSession): ...
        async def endpoint(session: AsyncSession):
            save(session)  # !
        """,
        "await save(session)",
    ),
    (
        """
        def save(session: AsyncSession):
            session.commit()  # !
        """,
        "in `async def`: await session.commit()",
    ),
    (
        """
        async def read(factory):
            async with factory.get_session() as session:
                return bool(session.scalar(query))  # !
        """,
        "return bool(await session.scalar(query))",
    ),
    (
        """
        async def rename(session: AsyncSession):
            user = session.get(User, 1)  # !
            if user is None:
                return
            user.name = "Ada"
        """,
        "user = await session.get(User, 1)",
    ),
]

ACCEPTED = {
    "awaited calls": """
        async def save(session: AsyncSession):
            async with session.begin():
                session.add(User())
                await session.flush()
            result = await session.stream(select(User))
            async for user in result.scalars():
                print(user.name)
            return (await session.execute(select(User))).scalars().all()
        """,
    "coroutines that are awaited later": """
        async def read(session: AsyncSession):
            task = asyncio.create_task(session.execute(select(User)))
            count = session.scalar(select(func.count(User.id)))
            return await task, await count
        """,
    "a coroutine that a sync function returns to its caller": """
        def read(session: AsyncSession):
            return session.execute(select(User))
        async def endpoint(session: AsyncSession):
            return (await read(session)).all()
        """,
    "methods of coroutine objects": """
        async def work(session: AsyncSession): ...
        class Job:
            def __await__(self):
                return self.run().__await__()
            async def run(self): ...
        def start(session: AsyncSession):
            task = work(session)
            task.close()
            return work(session)
        """,
    "a stream as a context manager": """
        engine = create_async_engine(url)
        async def read():
            async with engine.connect() as connection, connection.stream(query) as result:
                async for row in result:
                    print(row)
        """,
}
