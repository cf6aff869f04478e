# Lower case, because nobody means two accounts by two spellings.
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
PersonName = Annotated[Line, Field(max_length=100)]
NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=128)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=128)]


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
