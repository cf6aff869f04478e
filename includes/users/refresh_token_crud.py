async def create_refresh_token(
    session: AsyncSession, *, user_id: UUID, family_id: UUID, digest: str, expires_at: datetime
) -> None:
    session.add(
        RefreshToken(user_id=user_id, family_id=family_id, digest=digest, expires_at=expires_at)
    )
    await session.flush()


async def find_refresh_token(session: AsyncSession, digest: str) -> RefreshToken | None:
    """The token as it is now, also where the session has seen it before."""
    statement = select(RefreshToken).where(RefreshToken.digest == digest)
    return await session.scalar(statement.execution_options(populate_existing=True))


async def delete_token_family(session: AsyncSession, family_id: UUID) -> None:
    await session.execute(delete(RefreshToken).where(RefreshToken.family_id == family_id))


async def delete_expired_tokens(session: AsyncSession, user_id: UUID) -> None:
    expired = RefreshToken.expires_at <= utc_now()
    await session.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id, expired))


async def end_all_sessions(session: AsyncSession, user_id: UUID) -> None:
    """End every refresh token of the user, and every access token at once.

    Locks the user first: a token that is being issued is either there to delete, or refused.
    """
    await session.execute(
        update(User).where(User.id == user_id).values(token_version=User.token_version + 1)
    )
    await session.execute(delete(RefreshToken).where(RefreshToken.user_id == user_id))
