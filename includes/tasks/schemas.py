TaskTitle = Annotated[Line, Field(max_length=200)]
Priority = Annotated[int, Field(ge=1, le=5, description="1 is the most urgent.")]


class TaskCreate(Input):
    title: TaskTitle
    status: TaskStatus = TaskStatus.TODO
    priority: Priority = 3
    due_at: Moment | None = None


class TaskBatch(Input):
    tasks: list[TaskCreate] = Field(min_length=1, max_length=100)


class TaskUpdate(Input):
    title: TaskTitle = unchanged()
    status: TaskStatus = unchanged()
    priority: Priority = unchanged()
    due_at: Moment | None = unchanged()


class TaskPageParams(PageParams):
    sort: Literal["created_at", "-created_at", "priority", "-priority"] = "created_at"
    status: TaskStatus | None = None


class TaskRead(Output):
    id: UUID
    project_id: UUID
    title: str
    status: TaskStatus
    priority: int
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
