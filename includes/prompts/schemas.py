class PromptCreate(Input):
    budget_id: UUID
    text: Annotated[Text, Field(min_length=1, max_length=4000)]


class PromptRead(Output):
    id: UUID
    budget_id: UUID
    text: str
    created_at: datetime
