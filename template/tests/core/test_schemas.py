"""What the base classes and types of schemas accept and reject."""

from datetime import date
from typing import Annotated, Any, Self

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import (
    Field,
    JsonValue,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.core.errors import MAX_PARTS, add_error_handlers
from app.core.schemas import (
    MAX_UNKNOWN_FIELDS,
    QUERY_VALUE,
    Input,
    IsoDate,
    SingleLineStr,
    StorableJson,
    Text,
)
from tests.core.fixtures import client_of


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": None},
        {"name": ""},
        {"name": "   "},
        {"name": "two\nlines"},
        {"name": "nul\x00"},
        {"name": "x", "note": "nul\x00"},
        {"name": "x", "note": "x" * 10_001},
        {"name": "x", "color": "red"},
        {"name": "x", "seen_at": 1_700_000_000},
        {"name": "x", "seen_at": "1700000000"},
        {"name": "x", "seen_at": "0.5"},
        {"name": "x", "seen_at": "2030-01-01T00:00:00"},
        {"name": "x", "seen_at": "1969-12-31T23:59:59Z"},
        {"name": "x", "seen_at": "9999-01-01T00:00:00Z"},
    ],
)
async def test_invalid_value_is_rejected(client: AsyncClient, body: dict[str, Any]) -> None:
    response = await client.post("/things", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "value",
    [
        *(0, 0.0, True, "0", "1577836800", "20300131", "2030-1-31", "2030-02-30", "-1"),
        *("2030-01-31T00:00:00Z", "2030-01-31 00:00"),
    ],
)
def test_only_an_iso_8601_date_is_a_date(value: object) -> None:
    dates = TypeAdapter(IsoDate)
    assert dates.validate_python("2030-01-31") == dates.validate_python(date(2030, 1, 31))
    with pytest.raises(ValidationError, match="must be an ISO 8601 date, such as 2030-01-31"):
        dates.validate_python(value)


def test_boolean_in_a_query_is_written_as_in_json() -> None:
    booleans = TypeAdapter[bool](Annotated[bool, Field(strict=True), QUERY_VALUE])
    assert booleans.validate_python("true")
    assert not booleans.validate_python("false")
    for value in ("on", "1", "True", "yes", ""):
        with pytest.raises(ValidationError):
            booleans.validate_python(value)


class Registration(Input):
    name: SingleLineStr = "x"
    note: Text = ""
    country: str = Field(default="CH", pattern="^[A-Z]{2}$")
    password: SecretStr = Field(default=SecretStr("12345678"), min_length=8)
    roles: list[str] = Field(default=["reader"], min_length=1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "two\nlines"}, "must be a single line without control characters"),
        ({"note": "nul\x00"}, "must not contain NUL"),
        ({"country": "ch"}, "String should match pattern '^[A-Z]{2}$'"),
        ({"password": "1234567"}, "Value should have at least 8 characters"),
        ({"roles": []}, "List should have at least 1 item"),
    ],
)
async def test_message_says_what_is_wrong(body: dict[str, Any], message: str) -> None:
    app = FastAPI()
    add_error_handlers(app)

    @app.post("/registrations")
    async def register(body: Registration) -> None: ...

    async with client_of(app) as client:
        response = await client.post("/registrations", json=body)
    [error] = response.json()["errors"]
    assert error["msg"].startswith(message)


async def test_many_unknown_fields_are_one_error(client: AsyncClient) -> None:
    unknown = {f"x{number}": "1" for number in range(1000)}
    for response in (
        await client.post("/things", json=unknown),
        await client.get("/things", params=unknown),
    ):
        assert response.status_code == 422
        assert [error["msg"] for error in response.json()["errors"]] == ["too many unknown fields"]


async def test_few_unknown_fields_are_named(client: AsyncClient) -> None:
    body = {"name": "x"} | dict.fromkeys(map(str, range(MAX_UNKNOWN_FIELDS)))
    errors = (await client.post("/things", json=body)).json()["errors"]
    assert len(errors) == MAX_UNKNOWN_FIELDS
    assert errors[0]["loc"] == ["body", "0"]


class Configuration(Input):
    options: dict[str, StorableJson]


class CheckedConfiguration(Configuration):
    @model_validator(mode="after")
    def check(self) -> Self:
        return self


def nested(levels: int) -> JsonValue:
    """Return an object in an object, and so on."""
    value: JsonValue = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "bodies", [TypeAdapter(list[Configuration]), TypeAdapter(list[CheckedConfiguration])]
)
@pytest.mark.parametrize(
    "value", [nested(300), "\ud800", {"\ud800": 1}, [float("nan")], ["x" * 10_001]]
)
def test_json_that_could_not_be_read_again_is_rejected(
    bodies: TypeAdapter[list[Any]], value: JsonValue
) -> None:
    with pytest.raises(ValidationError):
        bodies.validate_python([{"options": {"a": value}}])
    for stored in (nested(200), ["é", None, 1.5]):
        assert bodies.dump_json(bodies.validate_python([{"options": {"a": stored}}]))


async def test_location_in_deeply_nested_json_is_shortened() -> None:
    app = FastAPI()
    add_error_handlers(app)

    @app.post("/configurations")
    async def configure(body: Configuration) -> None: ...

    async with client_of(app) as client:
        response = await client.post("/configurations", json={"options": {"a": nested(300)}})
    [error] = response.json()["errors"]
    assert error["loc"][:3] == ["body", "options", "a"]
    assert (len(error["loc"]), error["loc"][-1]) == (MAX_PARTS + 1, "…")


async def test_datetime_out_of_range_is_rejected_with_the_range(client: AsyncClient) -> None:
    body = {"name": "x", "seen_at": "0001-01-01T00:00:00+14:00"}
    response = await client.post("/things", json=body)
    [error] = response.json()["errors"]
    assert error["msg"] == "must be between 1970 and 9998"


async def test_lone_surrogate_is_rejected(client: AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post("/things", content=rb'{"name": "\ud800"}', headers=headers)
    assert response.status_code == 422


async def test_string_is_stripped_and_datetime_is_converted_to_utc(client: AsyncClient) -> None:
    body = {"name": " Ünïcödé 🚀 ", "note": "two\nlines", "seen_at": "2030-01-01T12:00:00+02:00"}
    created = (await client.post("/things", json=body)).json()
    assert (created["name"], created["note"]) == ("Ünïcödé 🚀", "two\nlines")
    assert created["seen_at"] == "2030-01-01T10:00:00Z"


async def test_patch_changes_only_the_fields_it_contains(client: AsyncClient) -> None:
    created = (await client.post("/things", json={"name": "x", "note": "y"})).json()
    changed = await client.patch(f"/things/{created['id']}", json={"note": ""})
    assert changed.json() == {**created, "note": ""}


async def test_null_in_a_patch_is_rejected(client: AsyncClient) -> None:
    created = (await client.post("/things", json={"name": "x"})).json()
    response = await client.patch(f"/things/{created['id']}", json={"name": None})
    assert response.status_code == 422


@pytest.mark.parametrize("thing_id", ["1", "x", "0" * 31, "not-a-uuid", "%00"])
async def test_malformed_id_is_rejected_with_its_location(
    client: AsyncClient, thing_id: str
) -> None:
    response = await client.get(f"/things/{thing_id}")
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["loc"] == ["path", "thing_id"]
    assert "UUID" in error["msg"]
