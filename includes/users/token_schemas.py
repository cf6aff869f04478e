class TokenForm(BaseModel):
    """The password form of OAuth 2, whose `username` is the e-mail address here."""

    grant_type: Literal["password"] = "password"
    username: Annotated[Line, Field(max_length=254), AfterValidator(str.lower)]
    password: Password


class RefreshRequest(Input):
    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=128)]


class TokenRead(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds until the access token expires.")
