"""Code with and without `expired-attribute` findings."""

FOUND = [
    (
        """
        maker = async_sessionmaker(engine)
        async def rename():
            async with maker() as session:
                user = await session.get(User, 1)
                await session.commit()
                return user.name  # !
        """,
        "async_sessionmaker(engine, expire_on_commit=False), "
        "or before the read: await session.refresh(user)",
    ),
    (
        """
        maker = async_sessionmaker(engine)
        async def create(session: AsyncSession):
            user = User(name="Ada")
            session.add(user)
            await session.commit()
            print(user.id)  # !
        """,
        "async_sessionmaker(engine, expire_on_commit=False), "
        "or before the read: await session.refresh(user)",
    ),
]

ACCEPTED = {
    "`expire_on_commit=False`": """
        maker = async_sessionmaker(engine, expire_on_commit=False)
        async def rename(session: AsyncSession):
            user = await session.get(User, 1)
            await session.commit()
            return user.name
        """,
    "an instance that is refreshed or loaded again": """
        maker = async_sessionmaker(engine)
        async def rename(session: AsyncSession):
            user = await session.get(User, 1)
            await session.commit()
            await session.refresh(user)
            print(user.name)
            await session.commit()
            user = await session.get(User, 1)
            print(user.name)
            if user.id:
                await session.commit()
                return None
            return user.name
        """,
    "a failed commit, and instances that the commit did not expire": """
        maker = async_sessionmaker(engine)
        async def rename(session: AsyncSession, owner: User):
            user = await session.get(User, 1)
            session.add(Post(author_id=owner.id))
            try:
                await session.commit()
            except ValueError:
                print(user.id)
                raise
            print(owner.id)
            other = await session.get(User, 2)
            await session.delete(other)
            await session.commit()
            return other.id
        """,
}
