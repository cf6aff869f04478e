BudgetName = Annotated[Line, Field(max_length=100)]
Credits = Annotated[int, Field(ge=1, le=1_000_000)]


class BudgetCreate(Input):
    name: BudgetName
    credits: Credits


class BudgetPageParams(PageParams):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "name"


class BudgetRead(Output):
    id: UUID
    name: str
    credits: int
    created_at: datetime
    updated_at: datetime


class TransferCreate(Input):
    source_id: UUID
    target_id: UUID
    credits: Credits

    @model_validator(mode="after")
    def refuse_the_same_budget_twice(self) -> Self:
        if self.source_id == self.target_id:
            raise ValueError("credits move from one budget to another, not to the same")
        return self
