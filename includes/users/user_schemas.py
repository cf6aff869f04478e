# Lower case, because nobody means two accounts by two spellings.
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
PersonName = Annotated[Line, Field(max_length=100)]


def refuse_nul(password: SecretStr) -> SecretStr:
    """Where many a program ends a text, and with it the password."""
    if "\0" in password.get_secret_value():
        raise ValueError("a password has no NUL in it")
    return password


Password = Annotated[SecretStr, Field(min_length=1, max_length=128), AfterValidator(refuse_nul)]
NewPassword = Annotated[Password, Field(min_length=12)]


class UserCreate(Input):
    email: Email
    name: PersonName
    password: NewPassword


class UserUpdate(Input):
    email: Email = unchanged()
    name: PersonName = unchanged()


class PasswordChange(Input):
    current_password: Password
    new_password: NewPassword


class UserRead(Output):
    id: UUID
    email: str
    name: str
    created_at: datetime
