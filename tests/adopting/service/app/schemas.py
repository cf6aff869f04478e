from datetime import datetime

from pydantic import BaseModel, ConfigDict, EmailStr


class BookCreate(BaseModel):
    title: str
    isbn: str | None = None


class LoanCreate(BaseModel):
    borrower: EmailStr


class LoanRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    book_id: int
    borrower: str
    due_at: datetime
    returned_at: datetime | None


class BookRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    isbn: str | None
    added_at: datetime


class BookReadWithLoans(BookRead):
    loans: list[LoanRead]
