class UserNotFound(NotFound):
    detail = "There is no such user."


async def create_user(session: AsyncSession, *, email: str, name: str, password_hash: str) -> User:
    user = User(email=email, name=name, password_hash=password_hash)
    session.add(user)
    await session.flush()
    return user


async def get_user(session: AsyncSession, user_id: UUID) -> User:
    """Raises `UserNotFound`."""
    user = await session.get(User, user_id)
    if user is None:
        raise UserNotFound
    return user


async def find_user(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(select(User).where(User.email == email))


async def update_user(session: AsyncSession, user: User, data: UserUpdate) -> None:
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    await session.flush()


async def delete_user(session: AsyncSession, user_id: UUID) -> None:
    """Delete the user; the database deletes all that is theirs."""
    await session.execute(delete(User).where(User.id == user_id))
