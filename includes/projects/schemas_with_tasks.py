class ProjectReadWithTasks(ProjectRead):
    tasks: list[TaskRead]


class ProjectSummary(BaseModel):
    total: int
    overdue: int
    by_status: dict[TaskStatus, int]
