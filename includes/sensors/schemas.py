SensorName = Annotated[Line, Field(max_length=100)]
Unit = Annotated[Line, Field(max_length=20, examples=["°C"])]


class SensorCreate(Input):
    name: SensorName
    unit: Unit


class SensorRead(Output):
    id: UUID
    station_id: UUID
    name: str
    unit: str
    created_at: datetime
    updated_at: datetime
