# Built once, since that takes as long as running them.
USERS = select(User).where(User.deleted_at.is_(None))
USER = USERS.where(User.id == bindparam("user_id"))
USER_BY_EMAIL = USERS.where(User.email == bindparam("email"))


class UserNotFound(NotFound):
    detail = "There is no such user."


async def create_user(session: AsyncSession, *, email: str, name: str, password_hash: str) -> User:
    user = User(email=email, name=name, password_hash=password_hash)
    session.add(user)
    await session.flush()
    return user


async def get_user(session: AsyncSession, user_id: UUID) -> User:
    """Raises `UserNotFound`, also for users who deleted their account."""
    user = await session.scalar(USER, {"user_id": user_id})
    if user is None:
        raise UserNotFound
    return user


async def lock_user(session: AsyncSession, user_id: UUID) -> User | None:
    """The user as they are now, whose logins nobody else begins or ends until the commit."""
    statement = USER.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement, {"user_id": user_id})


async def find_user(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(USER_BY_EMAIL, {"email": email})


async def update_user(session: AsyncSession, user: User, data: UserUpdate) -> None:
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    await session.flush()


async def mark_user_deleted(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(update(User).where(User.id == user_id).values(deleted_at=utc_now()))
