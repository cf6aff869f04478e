def refuse_numbers(value: object) -> object:
    """Pydantic would take seconds since 1970 as well, which the OpenAPI document does not say."""
    if isinstance(value, int | float):
        raise ValueError("write the time as ISO 8601, such as 2030-01-31T12:00:00Z")  # noqa: TRY004
    return value


# Bounds that every database can keep: no NUL, and years that survive any time zone.
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(refuse_numbers),
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
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
