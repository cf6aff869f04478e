"""`ETag`, `If-Match` and `If-None-Match`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import Response
from httpx2 import AsyncClient

from app.core.middleware import CACHE_HEADERS
from app.core.preconditions import (
    CONDITIONAL_GET,
    RELEASE,
    IfMatch,
    PreconditionFailed,
    digest_of_code,
    etag_of,
    set_etag,
)
from app.factory import create_app
from app.settings import Settings
from tests.core.fixtures import client_of

pytestmark = pytest.mark.usefixtures("no_routers")


ORIGIN = "https://app.example.org"


@dataclass
class Row:
    version: int


ETAG = etag_of(Row(3))


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[AsyncClient]:
    """A client of an application with one row, whose version is 3."""
    app = create_app(settings.model_copy(update={"cors_origins": [ORIGIN]}))

    @app.put("/row")
    async def change(if_match: IfMatch, response: Response) -> None:
        row = Row(3)
        if_match.check(row)
        set_etag(response, row)

    @app.get("/row", openapi_extra=CONDITIONAL_GET)
    async def read(response: Response) -> dict[str, int]:
        set_etag(response, Row(3))
        return {"version": 3}

    @app.get("/rows")
    async def read_without_etag() -> list[int]:
        return [3]

    @app.get("/failed")
    async def fail(response: Response) -> None:
        set_etag(response, Row(3))
        raise PreconditionFailed

    @app.get("/weak")
    async def read_with_a_weak_etag(response: Response) -> None:
        response.headers["ETag"] = f"W/{ETAG}"
        response.headers["Cache-Control"] = "public, max-age=60"

    async with client_of(app) as client:
        yield client


async def test_without_if_match_any_version_is_changed(client: AsyncClient) -> None:
    response = await client.put("/row")
    assert (response.status_code, response.headers["ETag"]) == (200, ETAG)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        (ETAG, 200),
        ('"3"', 200),
        ('"3-0123abcd"', 200),  # the same version, sent by another release
        (f"W/{ETAG}", 200),  # nginx makes tags weak when it compresses responses
        (f'W/"2-{RELEASE}"', 412),
        ("*", 200),
        ('"1", "3"', 200),
        ('"1","3"', 200),
        ('"2"', 412),
        ('"33"', 412),
        ('"3-0"', 412),
        (f'"2-{RELEASE}"', 412),
        ('"1", "2"', 412),
        ('W/"3"', 412),
        ('"', 422),
        ("3", 422),
        ('"3" "4"', 422),
        ("", 422),
        ('"' + "3" * 1000 + '"', 422),
    ],
)
async def test_if_match_decides_whether_the_version_is_changed(
    client: AsyncClient, tags: str, status: int
) -> None:
    response = await client.put("/row", headers={"If-Match": tags})
    assert response.status_code == status


async def test_malformed_if_match_is_rejected_without_a_regular_expression(
    client: AsyncClient,
) -> None:
    response = await client.put("/row", headers={"If-Match": "3"})
    [error] = response.json()["errors"]
    assert error["msg"] == 'must be "*", or entity tags in double quotes'


@pytest.mark.parametrize("tags", ["*", ETAG, f'"1", W/{ETAG}'])
async def test_version_that_if_none_match_excludes_is_not_changed(
    client: AsyncClient, tags: str
) -> None:
    response = await client.put("/row", headers={"If-None-Match": tags})
    assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
    others = await client.put("/row", headers={"If-None-Match": '"2"'})
    assert others.status_code == 200


@pytest.mark.parametrize(
    "tags",
    [
        ETAG,
        f"W/{ETAG}",
        f'"1", {ETAG}',
        f'"1",W/"2" ,\t{ETAG}',
        f", ,{ETAG},",
        f'"a,b", {ETAG}',
        "*",
        " * ",
    ],
)
async def test_response_that_the_client_has_is_304_without_a_body(
    client: AsyncClient, tags: str
) -> None:
    read = await client.get("/row")
    assert read.json() == {"version": 3}
    for method in ("GET", "HEAD"):
        response = await client.request(method, "/row", headers={"If-None-Match": tags})
        assert (response.status_code, response.content) == (304, b"")
        del response.headers["X-Request-ID"]
        assert response.headers.items() <= read.headers.items()
        dropped = read.headers.keys() - response.headers.keys()
        assert dropped == {"content-type", "content-length", "x-request-id"}


@pytest.mark.parametrize(
    "tags",
    [
        "",
        '"2"',
        '"3"',
        '"3-00000000"',  # sent by another release
        "3",
        f'{ETAG} "1"',
        f'"1"{ETAG}',
        f'{ETAG}, "',
        f"{ETAG}, *",
        f"w/{ETAG}",
        '"*"',
        f'"é", {ETAG}',
        f'"a b", {ETAG}',
    ],
)
async def test_response_is_sent_if_the_tag_is_another_or_malformed(
    client: AsyncClient, tags: str
) -> None:
    response = await client.get("/row", headers={b"If-None-Match": tags.encode()})
    assert (response.status_code, response.json()) == (200, {"version": 3})


@pytest.mark.parametrize(
    ("method", "name", "tags", "status"),
    [
        ("GET", "If-None-Match", ['"1"', ETAG], 304),
        ("GET", "If-Match", ['"1"', ETAG], 200),
        ("GET", "If-Match", ['"1"', '"2"'], 412),
        ("PUT", "If-Match", ['"1"', ETAG], 200),
        ("PUT", "If-Match", [ETAG, '"1"'], 200),
        ("PUT", "If-Match", ['"1"', '"2"'], 412),
        ("PUT", "If-Match", [ETAG, "3"], 422),
        ("PUT", "If-None-Match", ['"1"', ETAG], 412),
        ("PUT", "If-None-Match", ['"1"', '"2"'], 200),
        ("PUT", "If-Match", ["*", "*"], 200),
        ("PUT", "If-None-Match", ["*", "*"], 412),
        ("PUT", "If-None-Match", ["*", '"1"'], 422),
        ("PUT", "If-None-Match", [ETAG, "3"], 422),
        ("GET", "If-None-Match", ["*", "*"], 304),
    ],
)
async def test_tags_of_several_headers_are_one_list(
    client: AsyncClient, method: str, name: str, tags: list[str], status: int
) -> None:
    headers = [(name, tag) for tag in tags]
    response = await client.request(method, "/row", headers=headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("if_match", "status"),
    [('"2"', 412), (f"W/{ETAG}", 304), (ETAG, 304), ('"3"', 304), ("*", 304), ("3", 304)],
)
async def test_if_match_comes_before_if_none_match(
    client: AsyncClient, if_match: str, status: int
) -> None:
    headers = {"If-Match": if_match, "If-None-Match": ETAG, "Origin": ORIGIN}
    response = await client.get("/row", headers=headers)
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    if status == 412:
        assert response.json()["code"] == "precondition_failed"
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers


@pytest.mark.parametrize(("path", "status"), [("/rows", 200), ("/failed", 412), ("/no", 404)])
async def test_response_without_an_etag_is_sent_and_not_stored(
    client: AsyncClient, path: str, status: int
) -> None:
    for headers in ({}, {"If-None-Match": "*"}, {"If-Match": "*"}, {"If-None-Match": ETAG}):
        response = await client.get(path, headers=headers)
        assert (response.status_code, bool(response.content)) == (status, True)
        assert response.headers["Cache-Control"] == "no-store"


async def test_response_with_an_etag_is_stored_and_revalidated(client: AsyncClient) -> None:
    headers = (await client.get("/row", headers={"Origin": ORIGIN})).headers
    for name, value in CACHE_HEADERS:
        assert value.decode() in headers.get_list(name.decode())
    assert "Origin" in headers.get_list("Vary")


async def test_endpoint_may_set_a_weak_tag_and_how_long_its_response_is_fresh(
    client: AsyncClient,
) -> None:
    for headers, status in (({}, 200), ({"If-None-Match": ETAG}, 304)):
        response = await client.get("/weak", headers=headers)
        assert response.status_code == status
        assert response.headers.get_list("Cache-Control") == ["public, max-age=60"]


def test_digest_changes_with_the_code(tmp_path: Path) -> None:
    digests = {digest_of_code(tmp_path)}
    for code in ("a = 1", "a = 2"):
        (tmp_path / "crud.py").write_text(code)
        digests.add(digest_of_code(tmp_path))
    assert len(digests) == 3
