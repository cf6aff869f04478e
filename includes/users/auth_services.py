class WrongCredentials(Unauthorized):
    detail = "The e-mail address or the password is wrong."


class InvalidRefreshToken(Unauthorized):
    detail = "The refresh token is unknown, expired or used: log in again."


class WrongPassword(DomainError):
    status = 403
    detail = "The current password is wrong."


async def register(session: AsyncSession, data: UserCreate) -> User:
    password_hash = await hash_password(data.password)
    return await create_user(session, email=data.email, name=data.name, password_hash=password_hash)


async def log_in(
    session: AsyncSession, settings: Settings, address: str, email: str, password: SecretStr
) -> TokenRead:
    """Raises `WrongCredentials`, after the same work for an unknown user as for a known one.

    Raises `TooManyAttempts`, before any work and for unknown users as well.
    """
    user = await find_user(session, email)
    # The id, since an e-mail address can be changed and would be counted from 0 then.
    account = str(user.id) if user else email
    # Commits: hashing is slow, and the connection is given back meanwhile.
    await count_attempt(session, settings, account, address)
    correct, newer_hash = await verify_password(password, user.password_hash if user else None)
    if user is None or not correct:
        raise WrongCredentials
    version = user.token_version
    user = await lock_user(session, user.id)
    if user is None or user.token_version != version:  # the password was changed meanwhile
        raise WrongCredentials
    if newer_hash:
        user.password_hash = newer_hash
    await forget_attempts(session, settings, account, address)
    await delete_expired_tokens(session, user.id)
    return await _issue_tokens(session, settings, user, family_id=uuid7())


async def refresh(session: AsyncSession, settings: Settings, token: SecretStr) -> TokenRead:
    """Swap a refresh token for new tokens.

    Raises `InvalidRefreshToken`. A token that comes back after it was used was stolen, from the
    user or by them, so the whole family ends: https://www.rfc-editor.org/rfc/rfc9700#section-4.14
    """
    digest = digest_refresh_token(token)
    found = await find_refresh_token(session, digest)
    if found is None:
        raise InvalidRefreshToken
    user = await lock_user(session, found.user_id)
    found = await find_refresh_token(session, digest)  # what it is now that nobody can change it
    if user is None or found is None:
        raise InvalidRefreshToken
    if found.used_at is not None or found.expires_at <= utc_now():
        await delete_token_family(session, found.family_id)
        await session.commit()  # before the error, which rolls back
        raise InvalidRefreshToken
    found.used_at = utc_now()
    return await _issue_tokens(session, settings, user, found.family_id)


async def log_out(session: AsyncSession, token: SecretStr) -> None:
    """End the login that the refresh token belongs to; an unknown token has none."""
    found = await find_refresh_token(session, digest_refresh_token(token))
    if found is not None:
        await lock_user(session, found.user_id)
        await delete_token_family(session, found.family_id)


async def change_password(
    session: AsyncSession, settings: Settings, address: str, user: User, data: PasswordChange
) -> None:
    """Set another password and end all sessions. Raises `WrongPassword`, `TooManyAttempts`."""
    # Who stole an access token must not find out the password with it.
    await count_attempt(session, settings, str(user.id), address)
    correct, _ = await verify_password(data.current_password, user.password_hash)
    if not correct:
        raise WrongPassword
    password_hash = await hash_password(data.new_password)
    stored = await get_user(session, user.id)
    stored.password_hash = password_hash
    await session.flush()
    await end_all_sessions(session, user.id)
    await forget_attempts(session, settings, str(user.id), address)


async def close_account(session: AsyncSession, user: User) -> None:
    """End all sessions and hide the account, whose e-mail address stays taken until the purge."""
    await mark_user_deleted(session, user.id)
    await end_all_sessions(session, user.id)


async def _issue_tokens(
    session: AsyncSession, settings: Settings, user: User, family_id: UUID
) -> TokenRead:
    token = new_refresh_token()
    await create_refresh_token(
        session,
        user_id=user.id,
        family_id=family_id,
        digest=digest_refresh_token(token),
        expires_at=utc_now() + timedelta(days=settings.refresh_token_days),
    )
    return TokenRead(
        access_token=create_access_token(settings, user),
        refresh_token=token.get_secret_value(),
        expires_in=settings.access_token_minutes * 60,
    )
