class AnswerRead(Output):
    id: UUID
    model: str
    text: str
    rating: int | None
    created_at: datetime


class AnswerRating(Input):
    id: UUID
    rating: Annotated[int, Field(ge=1, le=5, description="5 is the best.")]


class AnswerRatings(Input):
    ratings: list[AnswerRating] = Field(min_length=1, max_length=100)
