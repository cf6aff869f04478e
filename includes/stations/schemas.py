StationName = Annotated[Line, Field(max_length=100)]


class StationCreate(Input):
    name: StationName


class StationUpdate(Input):
    name: StationName = unchanged()


class StationPageParams(PageParams):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "name"


class StationRead(Output):
    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    version: int
