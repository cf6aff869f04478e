"""The endpoints of the library."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.core.errors import NotFound, problems
from app.core.models import utc_now
from app.database import ReadSession, Session
from app.lending.isbn import normalize
from app.lending.models import Book, Loan
from app.lending.schemas import BookCreate, BookRead, BookReadWithLoans, LoanCreate, LoanRead

lending_router = APIRouter(prefix="/books", tags=["lending"])


class BookNotFound(NotFound):
    detail = "No such book"


@lending_router.post("", status_code=201, response_model=BookRead, responses=problems(409))
async def create_book(session: Session, body: BookCreate) -> Book:
    book = Book(title=body.title, isbn=normalize(body.isbn))
    session.add(book)
    await session.flush()
    return book


@lending_router.get("", response_model=list[BookRead])
async def list_books(session: ReadSession) -> Sequence[Book]:
    return (await session.scalars(select(Book).order_by(Book.id))).all()


@lending_router.get("/{book_id}", response_model=BookReadWithLoans, responses=problems(404))
async def get_book(session: ReadSession, book_id: int) -> Book:
    book = await session.get(Book, book_id, options=[selectinload(Book.loans)])
    if book is None:
        raise BookNotFound
    return book


@lending_router.post(
    "/{book_id}/loans", status_code=201, response_model=LoanRead, responses=problems(404)
)
async def lend_book(request: Request, session: Session, book_id: int, body: LoanCreate) -> Loan:
    book = await session.get(Book, book_id)
    if book is None:
        raise BookNotFound
    due_at = utc_now() + timedelta(days=request.app.state.settings.loan_days)
    loan = Loan(book_id=book.id, borrower=body.borrower, due_at=due_at)
    session.add(loan)
    await session.flush()
    return loan
