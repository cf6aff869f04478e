def refuse_numbers(value: object) -> object:
    """Pydantic would take seconds since 1970 as well, which the OpenAPI document does not say."""
    is_date = isinstance(value, str) and value[4:5] == "-"
    if not is_date and isinstance(value, int | float | str):
        raise ValueError("write the time as ISO 8601, such as 2030-01-31T12:00:00Z")
    return value


def convert_to_utc(moment: datetime) -> datetime:
    """Within years that every database keeps, whatever time zone it is read in."""
    if not datetime(1970, 1, 1, tzinfo=UTC) <= moment < datetime(9999, 1, 1, tzinfo=UTC):
        raise ValueError("write a time from 1970 to 9998")
    return moment.astimezone(UTC)


# What every database can keep: no NUL.
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(refuse_numbers),
    AfterValidator(convert_to_utc),
    Field(description="From 1970 to 9998."),
]


class Input(BaseModel):
    """What callers send: unknown fields are refused, so that a typo is not silently lost."""

    # A length for all strings also makes Pydantic refuse half a surrogate pair.
    model_config = ConfigDict(extra="forbid", str_max_length=10_000, allow_inf_nan=False)


class Output(BaseModel):
    """What callers get, read from a model's attributes."""

    model_config = ConfigDict(from_attributes=True)


def unchanged() -> Any:
    """The default of a field in a PATCH: left out is unchanged, and null is refused.

    Read such a schema with `model_dump(exclude_unset=True)`.
    """
    return Field(default_factory=lambda: None)
