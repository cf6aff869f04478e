class AnswerNotFound(NotFound):
    detail = "There is no such answer to this prompt."


async def create_answers(
    session: AsyncSession, prompt: Prompt, texts: Mapping[str, str]
) -> list[Answer]:
    """Add the answer of each model, all with one INSERT."""
    answers = [Answer(prompt_id=prompt.id, model=model, text=text) for model, text in texts.items()]
    session.add_all(answers)
    await session.flush()
    return answers


async def rate_answers(
    session: AsyncSession, prompt: Prompt, ratings: Sequence[AnswerRating]
) -> None:
    """Rate them by their ids, all with one UPDATE. Raises `AnswerNotFound` when one is missing."""
    ids = {rating.id for rating in ratings}
    found = select(func.count()).where(Answer.prompt_id == prompt.id, Answer.id.in_(ids))
    if await session.scalar(found) != len(ids):
        raise AnswerNotFound
    await session.execute(update(Answer), [rating.model_dump() for rating in ratings])
