from datetime import datetime, timedelta

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import models, schemas
from app.database import LOAN_DAYS, Base, engine, get_db
from app.isbn import normalize

Base.metadata.create_all(engine)

app = FastAPI(title="Lending library")


@app.post("/books", status_code=201, response_model=schemas.BookRead)
def create_book(body: schemas.BookCreate, db: Session = Depends(get_db)):
    book = models.Book(title=body.title, isbn=normalize(body.isbn))
    db.add(book)
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, "There is a book with this ISBN") from None
    return book


@app.get("/books", response_model=list[schemas.BookRead])
def list_books(db: Session = Depends(get_db)):
    return db.query(models.Book).order_by(models.Book.id).all()


@app.get("/books/{book_id}", response_model=schemas.BookReadWithLoans)
def get_book(book_id: int, db: Session = Depends(get_db)):
    book = db.get(models.Book, book_id)
    if book is None:
        raise HTTPException(404, "No such book")
    return book


@app.post("/books/{book_id}/loans", status_code=201, response_model=schemas.LoanRead)
def lend_book(book_id: int, body: schemas.LoanCreate, db: Session = Depends(get_db)):
    book = get_book(book_id, db)
    due_at = datetime.utcnow() + timedelta(days=LOAN_DAYS)
    loan = models.Loan(book=book, borrower=body.borrower, due_at=due_at)
    db.add(loan)
    db.commit()
    return loan
