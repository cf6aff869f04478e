"""The imports and models at the start of every sample."""

PREAMBLE = """\
import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import httpx2
import requests
from fastapi import Depends
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

class User(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship(back_populates="author")
    roles: Mapped[list["Role"]] = relationship(lazy="selectin")

class Post(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped["User"] = relationship(back_populates="posts")
    tags: Mapped[list["Tag"]] = relationship()
"""
