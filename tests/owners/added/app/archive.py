"""Tables that refer to themselves, to each other, and to rows of a migration."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.models import Base


class Language(Base):
    """A migration inserts its rows."""

    __tablename__ = "languages"
    __table_args__ = {"comment": "ISO 639-1"}

    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))


class Room(Base):
    """A room is in another one."""

    __tablename__ = "rooms"

    number: Mapped[int] = mapped_column(primary_key=True)
    inside: Mapped[int | None] = mapped_column(ForeignKey("rooms.number", ondelete="RESTRICT"))
    keeper_id: Mapped[int | None] = mapped_column(
        ForeignKey("keepers.number", name="fk_rooms_keeper", use_alter=True)
    )


class Keeper(Base):
    """A keeper has a room, and a room has a keeper."""

    __tablename__ = "keepers"

    number: Mapped[int] = mapped_column(primary_key=True)
    room_number: Mapped[int | None] = mapped_column(ForeignKey("rooms.number"))
    language: Mapped[str] = mapped_column(ForeignKey("languages.code"))
