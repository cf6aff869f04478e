"""A schema reads the same from the loaded attributes of a row as from the row."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator
from pydantic.alias_generators import to_camel
from sqlalchemy import ForeignKey, String
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    deferred,
    make_transient_to_detached,
    mapped_column,
    relationship,
    synonym,
)

from app.core.loaded_attributes import loaded_attributes
from app.core.models import UTCDateTime, utc_now
from app.core.schemas import Output


class OtherBase(DeclarativeBase):
    pass


class Animal(OtherBase):
    __tablename__ = "animals"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column("the name", String(10))
    note: Mapped[str | None] = deferred(mapped_column(String(10)))
    born_at: Mapped[datetime] = mapped_column(UTCDateTime())
    mother_id: Mapped[int | None] = mapped_column(ForeignKey("animals.id"))
    mother: Mapped["Animal | None"] = relationship(remote_side="Animal.id", lazy="raise")
    title = synonym("name")

    @hybrid_property
    def length(self) -> int:
        return len(self.name)

    @property
    def shout(self) -> str:
        return self.name.upper()


class Dog(Animal):
    __mapper_args__ = {"polymorphic_identity": "dog"}


class Loud(Animal):
    __mapper_args__ = {"polymorphic_identity": "loud"}

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return value.upper() if name == "name" else value


class Columns(Output):
    id: int
    name: str
    born_at: datetime


class WithNote(Columns):
    note: str | None


class WithMother(Columns):
    mother: Columns | None


class WithHybridProperty(Columns):
    length: int


class WithProperty(Columns):
    shout: str


class WithSynonym(Columns):
    title: str


class WithDefault(Columns):
    color: str = "brown"


class WithAlias(Output):
    mother_id: int | None = Field(alias="id")


class InCamelCase(Output):
    model_config = ConfigDict(alias_generator=to_camel)
    id: int
    mother_id: int | None = None


class WithValidators(Columns):
    @field_validator("name", mode="before")
    @classmethod
    def reverse(cls, name: str) -> str:
        return name[::-1]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def initial(self) -> str:
        return self.name[0]


class Named(BaseModel):
    """Reads a row itself."""

    @model_validator(mode="before")
    @classmethod
    def add_name(cls, row: Any) -> Any:
        return {"id": row.id, "name": row.title, "born_at": row.born_at}


class WithValidatorOfRows(Named, Columns):
    pass


class WithInheritedValidatorOfRows(Columns, Named):
    pass


class WithExtra(Columns):
    model_config = ConfigDict(extra="allow")


class Strict(Columns):
    model_config = ConfigDict(extra="forbid", strict=True)


class WithoutAttributes(Columns):
    model_config = ConfigDict(from_attributes=False)


SCHEMAS: list[type[Output]] = [
    Columns,
    WithNote,
    WithMother,
    WithHybridProperty,
    WithProperty,
    WithSynonym,
    WithDefault,
    WithAlias,
    InCamelCase,
    WithValidators,
    WithValidatorOfRows,
    WithInheritedValidatorOfRows,
    WithExtra,
    Strict,
    WithoutAttributes,
]


class NotARow:
    """Has the attributes of a row, which are read one by one."""

    def __init__(self, row: Animal) -> None:
        self.row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


def outcome(schema: type[Output], row: Any) -> Any:
    try:
        read = schema.model_validate(row)
    except Exception as error:
        return type(error)
    return read.model_dump_json(), read.model_fields_set


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("model", [Animal, Dog, Loud])
def test_loaded_row_is_read_as_its_attributes(model: type[Animal], schema: type[Output]) -> None:
    row = model(id=1, kind="dog", born_at=utc_now(), mother_id=None, mother=None)
    vars(row).update(name="Rex", shout="", length=0, title="")
    assert outcome(schema, row) == outcome(schema, NotARow(row))
    make_transient_to_detached(row)
    assert outcome(schema, row) == outcome(schema, NotARow(row))


def test_attributes_are_read_at_once_if_all_are_loaded() -> None:
    row = Dog(id=1, kind="dog", born_at=utc_now())
    assert loaded_attributes(Columns, row) is row
    row.name = "Rex"
    assert loaded_attributes(Columns, row) is vars(row)
