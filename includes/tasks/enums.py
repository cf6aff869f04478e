class TaskStatus(StrEnum):
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
