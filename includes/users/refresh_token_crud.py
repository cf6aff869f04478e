async def create_refresh_token(
    session: AsyncSession, *, user_id: UUID, family_id: UUID, digest: str, expires_at: datetime
) -> None:
    session.add(
        RefreshToken(user_id=user_id, family_id=family_id, digest=digest, expires_at=expires_at)
    )
    await session.flush()


async def find_refresh_token(session: AsyncSession, digest: str) -> RefreshToken | None:
    return await session.scalar(select(RefreshToken).where(RefreshToken.digest == digest))


async def lock_refresh_token(session: AsyncSession, digest: str) -> RefreshToken | None:
    """The token as it is now, which nobody else uses or changes until the commit."""
    statement = select(RefreshToken).where(RefreshToken.digest == digest).with_for_update()
    return await session.scalar(statement)


async def delete_token_family(session: AsyncSession, family_id: UUID) -> None:
    await session.execute(delete(RefreshToken).where(RefreshToken.family_id == family_id))


async def delete_expired_tokens(session: AsyncSession, user_id: UUID) -> None:
    expired = RefreshToken.expires_at <= utc_now()
    await session.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id, expired))


async def end_all_sessions(session: AsyncSession, user_id: UUID) -> None:
    """End every refresh token of the user, and every access token at once."""
    await session.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id))
    await session.execute(
        update(User).where(User.id == user_id).values(token_version=User.token_version + 1)
    )
