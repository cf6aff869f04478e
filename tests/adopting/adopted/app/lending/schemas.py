"""What callers of the library send and get."""

from datetime import datetime

from pydantic import EmailStr

from app.core.schemas import Input, Output, SingleLineStr


class BookCreate(Input):
    title: SingleLineStr
    isbn: str | None = None


class LoanCreate(Input):
    borrower: EmailStr


class LoanRead(Output):
    id: int
    book_id: int
    borrower: str
    due_at: datetime
    returned_at: datetime | None


class BookRead(Output):
    id: int
    title: str
    isbn: str | None
    added_at: datetime


class BookReadWithLoans(BookRead):
    loans: list[LoanRead]
