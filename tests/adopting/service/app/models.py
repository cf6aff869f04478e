from datetime import datetime

from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, func
from sqlalchemy.orm import relationship

from app.database import Base


class Book(Base):
    __tablename__ = "books"

    id = Column(Integer, primary_key=True, index=True)
    title = Column(String, nullable=False)
    isbn = Column(String(13), unique=True)
    added_at = Column(DateTime, server_default=func.now())

    loans = relationship("Loan", back_populates="book")


class Loan(Base):
    __tablename__ = "loans"

    id = Column(Integer, primary_key=True, index=True)
    book_id = Column(Integer, ForeignKey("books.id"))
    borrower = Column(String, nullable=False)
    due_at = Column(DateTime, default=datetime.utcnow)
    returned_at = Column(DateTime)

    book = relationship("Book", back_populates="loans")
