auth_router = APIRouter(prefix="/auth", tags=["auth"])


@auth_router.post("/register", status_code=201, response_model=UserRead, responses=problems(409))
async def register(session: Session, body: UserCreate) -> User:
    return await services.register(session, body)


@auth_router.post("/token", responses=problems(401, 429))
async def log_in(
    session: Session,
    settings: AppSettings,
    address: ClientAddress,
    response: Response,
    form: Annotated[TokenForm, Form()],
) -> TokenRead:
    """Log in with the password form of OAuth 2: `username` is the e-mail address."""
    response.headers["Cache-Control"] = "no-store"
    return await services.log_in(session, settings, address, form.username, form.password)


@auth_router.post("/refresh", responses=problems(401))
async def refresh(
    session: Session, settings: AppSettings, response: Response, body: RefreshRequest
) -> TokenRead:
    """Swap a refresh token, which works once, for new tokens."""
    response.headers["Cache-Control"] = "no-store"
    return await services.refresh(session, settings, body.refresh_token)


@auth_router.post("/logout", status_code=204)
async def log_out(session: Session, body: RefreshRequest) -> None:
    """End this login: its refresh tokens at once, its access token when it expires."""
    await services.log_out(session, body.refresh_token)


@auth_router.post("/logout-everywhere", status_code=204, responses=problems(401))
async def log_out_everywhere(user: CurrentUser, session: Session) -> None:
    """End every login of the user, access tokens included."""
    await crud.end_all_sessions(session, user.id)
