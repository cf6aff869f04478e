"""Code with and without `lost-session` findings."""

FOUND = [
    (
        """
        async def read(session: AsyncSession):
            await asyncio.gather(one(session), two(session))  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        """
        async def read(session: AsyncSession):
            await asyncio.gather(*(one(session, number) for number in range(3)))  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        """
        async def read(session: AsyncSession):
            async def one(number):
                return await session.get(User, number)
            tasks = [one(number) for number in range(3)]
            return await asyncio.gather(*tasks)  # !
        """,
        "in each task: async with async_session() as session:",
    ),
    (
        """
        async def read(db: AsyncSession):
            async with asyncio.TaskGroup() as tasks:
                for number in range(3):
                    tasks.create_task(one(db, number))  # !
        """,
        "in each task: async with async_session() as db:",
    ),
]

ACCEPTED = {
    "a session for each task": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def one(number):
            async with maker() as session:
                return await session.get(User, number)
        async def read(session: AsyncSession, sessions: list[AsyncSession]):
            await asyncio.gather(*(one(number) for number in range(3)))
            await asyncio.gather(*(two(session) for session in sessions))
            await asyncio.gather(two(session), one(1))
        """,
}
