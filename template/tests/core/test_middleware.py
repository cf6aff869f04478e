"""Middleware and the log format."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message

from app.core.logs import TextFormatter, add_request
from app.core.middleware import SECURITY_HEADERS, without_body
from app.factory import create_app
from app.settings import Environment, Settings

pytestmark = pytest.mark.usefixtures("no_routers")


JSON = {"Content-Type": "application/json"}

logger = logging.getLogger(__name__)


def client_with(settings: Settings, **changes: Any) -> AsyncClient:
    """Return a client of an application with endpoints for these tests."""
    app: FastAPI = create_app(settings.model_copy(update=changes))

    @app.get("/log")
    async def write_log() -> None:
        logger.warning("Hello")

    @app.get("/fail")
    async def fail() -> None:
        raise RuntimeError("a secret")

    @app.get("/framed")
    async def allow_frames(response: Response) -> None:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            while True:
                yield "part"
                yield "another"
                await asyncio.sleep(0)

        return StreamingResponse(parts(), media_type="text/plain")

    @app.post("/length")
    async def length(body: dict[str, str]) -> int:
        return len(body["text"])

    transport = ASGITransport(app, raise_app_exceptions=False)
    return AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[AsyncClient]:
    async with client_with(settings) as client:
        yield client


@pytest.fixture
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The log, with the request ID in each line."""
    monkeypatch.setattr(caplog.handler, "filters", [add_request])
    monkeypatch.setattr(caplog.handler, "formatter", TextFormatter())
    return caplog


async def test_request_id_is_in_the_response_and_in_the_log(
    client: AsyncClient, log: pytest.LogCaptureFixture
) -> None:
    ids = [(await client.get("/log")).headers["X-Request-ID"] for _ in range(2)]
    assert ids[0] != ids[1]
    for request_id in ids:
        assert f"[{request_id}] method=GET route=/log Hello" in log.text


async def test_request_id_of_the_client_is_kept(
    client: AsyncClient, log: pytest.LogCaptureFixture
) -> None:
    response = await client.get("/log", headers={"X-Request-ID": "from-the_proxy.1"})
    assert response.headers["X-Request-ID"] == "from-the_proxy.1"
    assert "[from-the_proxy.1] method=GET route=/log Hello" in log.text


@pytest.mark.parametrize("request_id", ["", "x" * 65, "two words", "line\tbreak", "naïve"])
async def test_invalid_request_id_is_replaced(client: AsyncClient, request_id: str) -> None:
    response = await client.get("/log", headers={b"X-Request-ID": request_id.encode()})
    assert len(response.headers["X-Request-ID"]) == 32


async def test_unexpected_error_has_a_request_id(
    client: AsyncClient, log: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Request-ID": "mine"}
    response = await client.get("/fail", headers=headers)
    assert (response.status_code, response.json()["code"]) == (500, "internal_server_error")
    assert response.headers["X-Request-ID"] == "mine"
    assert "secret" not in response.text
    # The server logs the error after the response, in the same task.
    logger.error("Exception in ASGI application")
    assert "[mine] method=GET route=/fail Exception" in log.text


@pytest.mark.parametrize("path", ["/log", "/fail", "/nowhere", "/openapi.json"])
async def test_every_response_has_the_security_headers(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    for name, value in SECURITY_HEADERS.items():
        assert headers.get_list(name.decode()) == [value.decode()]


async def test_headers_set_by_the_endpoint_are_kept(client: AsyncClient) -> None:
    headers = (await client.get("/framed")).headers
    assert headers.get_list("X-Frame-Options") == ["SAMEORIGIN"]
    assert len(headers.get_list("Set-Cookie")) == 2


@pytest.mark.parametrize("host", ["test", "TEST", "test:8000", "a.example.org", "a.b.example.org"])
async def test_allowed_host_is_served(settings: Settings, host: str) -> None:
    async with client_with(settings, allowed_hosts=["test", "*.Example.org"]) as client:
        assert (await client.get("/log", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "", "test.evil.example", "example.org", "notexample.org", "[::1]:80"]
)
async def test_unknown_host_is_rejected_and_logged(
    settings: Settings, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app")
    async with client_with(settings, allowed_hosts=["test", "*.example.org"]) as client:
        response = await client.get("/log", headers={"Host": host})
        assert (response.status_code, response.json()["code"]) == (421, "unknown_host")
        assert f"Rejected a request for the host {host!r}: not in ALLOWED_HOSTS" in caplog.text
        probe = await client.get("/health/live", headers={"Host": host})
        assert probe.status_code == 200


async def test_asterisk_allows_any_host(settings: Settings) -> None:
    async with client_with(settings, allowed_hosts=["*"]) as client:
        assert (await client.get("/log", headers={"Host": "any"})).status_code == 200


@pytest.mark.parametrize("allowed_hosts", [None, ["localhost"]])
async def test_production_without_allowed_hosts_warns(
    settings: Settings, allowed_hosts: list[str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    written = settings.model_dump(exclude={"allowed_hosts"})
    if allowed_hosts is not None:
        written["allowed_hosts"] = allowed_hosts
    production = Settings.model_construct(**written | {"environment": Environment.PRODUCTION})
    async with client_with(production) as client:
        await client.get("/health/live")
    assert ("ALLOWED_HOSTS is not set" in caplog.text) is (allowed_hosts is None)


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_body_up_to_the_limit_is_read(settings: Settings) -> None:
    async with client_with(settings, max_body_bytes=1000) as client:
        body = b'{"text": "%b"}' % (b"x" * (1000 - 12))
        for content in (body, in_parts(body[:9], body[9:])):
            assert (await client.post("/length", content=content, headers=JSON)).json() == 988


async def test_larger_body_is_rejected_even_without_content_length(
    settings: Settings,
) -> None:
    async with client_with(settings, max_body_bytes=1000) as client:
        body = b'{"text": "%b"}' % (b"x" * (1001 - 12))
        for content in (body, in_parts(body[:9], body[9:])):
            response = await client.post("/length", content=content, headers=JSON)
            assert (response.status_code, response.json()["code"]) == (413, "content_too_large")


async def test_announced_body_over_the_limit_is_rejected_unread(settings: Settings) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    async with client_with(settings, max_body_bytes=1000) as client:
        headers = JSON | {"Content-Length": "1001"}
        response = await client.post("/length", content=unread(), headers=headers)
        assert response.status_code == 413


@pytest.mark.parametrize(
    "path", ["/framed", "/health/live", "/openapi.json", "/nowhere", "/length"]
)
async def test_response_to_head_is_that_to_get_without_its_body(
    client: AsyncClient, path: str
) -> None:
    responses = [await client.request(method, path) for method in ("GET", "HEAD")]
    get, head = [(response.status_code, response.headers) for response in responses]
    del get[1]["X-Request-ID"], head[1]["X-Request-ID"]
    assert head == get
    assert responses[1].content == b""


async def test_head_of_a_stream_ends_after_the_headers(client: AsyncClient) -> None:
    response = await client.head("/endless")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_head_of_a_stream_ends_once() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    send_headers = without_body(send)
    for name in ("start", "body", "body"):
        await send_headers({"type": f"http.response.{name}", "more_body": True})
    assert sent == ["http.response.start", "http.response.body"]


async def test_cors_headers_are_absent_by_default(client: AsyncClient) -> None:
    response = await client.get("/log", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in response.headers


async def test_cross_origin_scripts_of_configured_origins_are_allowed(settings: Settings) -> None:
    origin = "https://app.example.org"
    preflight = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "If-Match",
    }
    async with client_with(settings, cors_origins=[origin]) as client:
        allowed = await client.options("/log", headers={"Origin": origin, **preflight})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == origin
        other = {"Origin": "https://evil.example"}
        assert (await client.options("/log", headers=other | preflight)).status_code == 400
        response = await client.get("/log", headers={"Origin": origin})
        assert response.headers["access-control-allow-origin"] == origin
        assert "ETag" in response.headers["access-control-expose-headers"]
