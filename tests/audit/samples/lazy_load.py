"""Code with and without `lazy-load` findings."""

FOUND = [
    (
        """
        async def read(session: AsyncSession):
            user = (await session.execute(select(User).where(User.id == 1))).scalar_one()
            return user.posts  # !
        """,
        "select(User).options(selectinload(User.posts))",
    ),
    (
        """
        async def read(session: AsyncSession):
            posts = (await session.scalars(select(Post))).all()
            return [post.author.name for post in posts]  # !
        """,
        "select(Post).options(joinedload(Post.author))",
    ),
    (
        """
        async def read(session: AsyncSession):
            user = await session.get(User, 1)
            user.posts.append(Post())  # !
        """,
        "select(User).options(selectinload(User.posts))",
    ),
    (
        """
        async def read(session: AsyncSession):
            users = await session.scalars(select(User).options(selectinload(User.posts)))
            for user in users:
                for post in user.posts:
                    print(post.author.name, post.tags)  # !
        """,
        "select(Post).options(selectinload(Post.tags))",
    ),
]

ACCEPTED = {
    "loaded relationships": """
        async def read(session: AsyncSession):
            query = select(User).options(selectinload(User.posts).selectinload(Post.tags))
            user = (await session.scalars(query)).one()
            print(user.posts[0].tags, user.roles, user.name)
            user = await session.get(User, 2, options=[selectinload(User.posts)])
            print(user.posts)
            user = await session.get(User, 3)
            await session.refresh(user, ["posts"])
            print(user.posts)
            user = await session.get(User, 4)
            print(await user.awaitable_attrs.posts)
            print(user.posts)
            post = await session.get(Post, 5)
            post.author = user
            print(post.author)
        """,
    "loader options that are built elsewhere": """
        async def read(session: AsyncSession, options):
            user = (await session.scalars(select(User).options(*options))).one()
            return user.posts
        """,
    "loader options in one branch": """
        async def read(session: AsyncSession, full):
            query = select(User)
            if full:
                query = query.options(selectinload(User.posts))
            user = await session.scalar(query)
            return user.posts if full else []
        """,
}
