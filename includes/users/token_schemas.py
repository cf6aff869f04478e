class TokenForm(Input):
    """The password form of OAuth 2, whose `username` is the e-mail address here."""

    model_config = ConfigDict(extra="ignore")  # such as `scope`, which some clients always send

    grant_type: Literal["password"] = "password"
    username: Annotated[Line, Field(max_length=254), AfterValidator(str.lower)]
    password: Password


class RefreshRequest(Input):
    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=128)]


class TokenRead(BaseModel):
    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds until the access token expires.")
