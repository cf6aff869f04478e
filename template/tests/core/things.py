"""A table and endpoints that only the tests of `app.core` use.

Keep them even if you delete all examples. The fixture `app` creates the table, not a migration.
"""

from datetime import datetime, time, timedelta
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Query, WebSocket
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from app.core.errors import NotFound
from app.core.models import Base, VersionMixin, utc_now
from app.core.pagination import Page, PageParams, PageRead, Sort, fetch_page
from app.core.schemas import Input, Output, SingleLineStr, Text, UtcDatetime, unset
from app.database import Database, PrimaryReadSession, ReadSession, Session, get_database


class ThingsBase(DeclarativeBase):
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    type_annotation_map: ClassVar = Base.type_annotation_map


class Thing(VersionMixin, ThingsBase):
    __tablename__ = "things"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("size BETWEEN 1 AND 5", name="size"),
        Index(None, "seen_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(2000), default="")
    size: Mapped[int] = mapped_column(default=1)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    gone_at: Mapped[datetime | None]
    opens_at: Mapped[time | None]
    lasts: Mapped[timedelta | None]
    data: Mapped[bytes | None]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("things.id", ondelete="CASCADE"))

    parts: Mapped[list["Thing"]] = relationship(lazy="raise")


THINGS = select(Thing)


class ThingCreate(Input):
    name: SingleLineStr
    note: Text = ""
    seen_at: UtcDatetime | None = None


class ThingUpdate(Input):
    name: SingleLineStr = unset()
    note: Text = unset()


class ThingPageParams(PageParams):
    sort: Sort[Literal["name", "-name", "size", "-size", "seen_at", "-seen_at"]] = "name"


class ThingRead(Output):
    id: UUID
    name: str
    note: str
    size: int
    seen_at: datetime


router = APIRouter(prefix="/things", tags=["things"])
# The names that background tasks have found.
looked_up: list[str] = []


@router.post("", status_code=201, response_model=ThingRead)
async def create_thing(session: Session, body: ThingCreate) -> Thing:
    thing = Thing(**body.model_dump(exclude_none=True))
    session.add(thing)
    await session.flush()
    return thing


@router.post("/announced", status_code=201)
async def announce_thing(
    session: Session,
    background: BackgroundTasks,
    database: Annotated[Database, Depends(get_database)],
    body: ThingCreate,
) -> None:
    """Create a thing, and look it up in a background task."""
    await create_thing(session, body)
    background.add_task(look_up, database, body.name)


async def look_up(database: Database, name: str) -> None:
    async with database.read() as session:
        looked_up.extend(await session.scalars(select(Thing.name).where(Thing.name == name)))


@router.websocket("/live")
async def create_things(websocket: WebSocket, session: Session) -> None:
    """Create a thing for each name that is received."""
    await websocket.accept()
    async for name in websocket.iter_text():
        session.add(Thing(name=name))
        await session.flush()
        await websocket.send_text(name)


@router.get("", response_model=PageRead[ThingRead])
async def list_things(
    session: ReadSession, params: Annotated[ThingPageParams, Query()]
) -> Page[Thing]:
    return await fetch_page(session, THINGS, Thing, params)


@router.get("/{thing_id}", response_model=ThingRead)
async def get_thing(session: PrimaryReadSession, thing_id: UUID) -> Thing:
    thing = await session.get(Thing, thing_id)
    if thing is None:
        raise NotFound
    return thing


@router.patch("/{thing_id}", response_model=ThingRead)
async def update_thing(session: Session, thing_id: UUID, body: ThingUpdate) -> Thing:
    thing = await session.get_one(Thing, thing_id)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(thing, name, value)
    await session.flush()
    return thing
