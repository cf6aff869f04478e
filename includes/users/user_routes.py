users_router = APIRouter(prefix="/users", tags=["users"], responses=problems(401))


@users_router.get("/me", response_model=UserRead)
async def get_me(user: CurrentUser) -> User:
    return user


@users_router.patch("/me", response_model=UserRead, responses=problems(404, 409))
async def update_me(user: CurrentUser, session: Session, body: UserUpdate) -> User:
    stored = await crud.get_user(session, user.id)
    await crud.update_user(session, stored, body)
    return stored


@users_router.post("/me/password", status_code=204, responses=problems(403, 404, 429))
async def change_password(
    user: CurrentUser,
    session: Session,
    settings: AppSettings,
    address: ClientAddress,
    body: PasswordChange,
) -> None:
    """Change the password and end every login, this one included."""
    await services.change_password(session, settings, address, user, body)


@users_router.delete("/me", status_code=204)
async def delete_me(user: CurrentUser, session: Session) -> None:
    """Close the account at once; it is deleted with all that belongs to it some days later."""
    await services.close_account(session, user)
