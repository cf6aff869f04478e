ProjectName = Annotated[Line, Field(max_length=100)]
ProjectDescription = Annotated[Text, Field(max_length=2000)]


class ProjectCreate(Input):
    name: ProjectName
    description: ProjectDescription = ""


class ProjectUpdate(Input):
    name: ProjectName = unchanged()
    description: ProjectDescription = unchanged()


class ProjectPageParams(PageParams):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "-created_at"


class ProjectRead(Output):
    id: UUID
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    version: int
