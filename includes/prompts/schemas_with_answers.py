class PromptReadWithAnswers(PromptRead):
    answers: list[AnswerRead]
