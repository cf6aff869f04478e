class MeasurementCreate(Input):
    measured_at: Moment
    # So that the sum of their squares is still a number: PostgreSQL needs it for an average.
    value: Annotated[float, Field(ge=-1e150, le=1e150, strict=True)]


class MeasurementBatch(Input):
    measurements: list[MeasurementCreate] = Field(min_length=1, max_length=1000)


class MeasurementPeriod(BaseModel):
    since: Moment | None = None
    until: Moment | None = Field(default=None, description="Excluded.")


class MeasurementParams(MeasurementPeriod):
    model_config = ConfigDict(extra="forbid")


class MeasurementPageParams(PageParams, MeasurementPeriod):
    sort: Literal["measured_at", "-measured_at"] = "-measured_at"


class MeasurementRead(Output):
    id: UUID
    measured_at: datetime
    value: float


class MeasurementsCreated(BaseModel):
    created: int


class SensorStatistics(BaseModel):
    count: int
    minimum: float | None = Field(description="Null when there are no measurements.")
    maximum: float | None
    average: float | None
