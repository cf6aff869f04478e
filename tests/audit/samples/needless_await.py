"""Code with and without `needless-await` findings."""

FOUND = [
    (
        """
        async def save(session: AsyncSession):
            await session.add(User())  # !
        """,
        "session.add(User())",
    ),
    (
        """
        async def read(session: AsyncSession):
            result = await session.execute(select(User))
            return await result.scalars()  # !
        """,
        "return result.scalars()",
    ),
]

ACCEPTED: dict[str, str] = {}
