def normalize(isbn: str | None) -> str | None:
    return isbn and isbn.replace("-", "").replace(" ", "")
