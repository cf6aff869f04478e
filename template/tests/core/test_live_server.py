"""Streams, server-sent events and WebSockets, tested with `live_client`."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from httpx2 import AsyncClient, ReadTimeout, Timeout
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from tests.core.live_server import live_client_of
from tests.core.things import Thing


@pytest.fixture
async def streaming() -> AsyncIterator[tuple[AsyncClient, asyncio.Event]]:
    """A client of endpoints that send something, and wait for the event before the rest.

    They wait for a limited time: a client that needs the whole response would wait forever.
    """
    app = FastAPI()
    released = asyncio.Event()

    async def chunks() -> AsyncIterator[str]:
        yield "first"
        async with asyncio.timeout(10):
            await released.wait()
        yield "last"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks())

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[str]:
        async for chunk in chunks():
            yield chunk

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    async with live_client_of(app) as client:
        yield client, released


async def test_stream_is_received_while_it_is_sent(
    streaming: tuple[AsyncClient, asyncio.Event],
) -> None:
    client, released = streaming
    async with client.stream("GET", "/stream") as response:
        chunks = response.aiter_text()
        assert await anext(chunks) == "first"
        released.set()
        assert await anext(chunks) == "last"


async def test_server_sent_events_are_received_while_they_are_sent(
    streaming: tuple[AsyncClient, asyncio.Event],
) -> None:
    client, released = streaming
    async with client.sse("/events") as source:
        events = aiter(source)
        assert json.loads((await anext(events)).data) == "first"
        released.set()
        assert json.loads((await anext(events)).data) == "last"


async def test_stream_that_never_ends_can_be_closed(
    streaming: tuple[AsyncClient, asyncio.Event],
) -> None:
    client, _ = streaming
    async with client.stream("GET", "/stream") as response:
        assert await anext(response.aiter_text()) == "first"


async def test_websocket_sends_and_receives(streaming: tuple[AsyncClient, asyncio.Event]) -> None:
    client, _ = streaming
    async with client.websocket("/echo") as websocket:
        for text in ("a", "b"):
            await websocket.send_text(text)
            assert await websocket.receive_text() == text


async def test_request_that_is_never_answered_does_not_keep_the_server_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FastAPI()

    @app.get("/")
    async def wait() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("tests.core.live_server.SECONDS_TO_STOP", 0.1)
    async with asyncio.timeout(10), live_client_of(app) as client:
        with pytest.raises(ReadTimeout):
            await client.get("/", timeout=Timeout(10, read=0.1))


async def test_server_leaves_ctrl_c_to_pytest() -> None:
    handler = signal.getsignal(signal.SIGINT)
    async with live_client_of(FastAPI()) as client:
        await client.get("/")
        assert signal.getsignal(signal.SIGINT) is handler


async def test_server_uses_the_transaction_of_the_test(
    live_client: AsyncClient, session: AsyncSession
) -> None:
    session.add(Thing(name="x"))
    await session.commit()
    assert [item["name"] for item in (await live_client.get("/things")).json()["items"]] == ["x"]
    assert (await live_client.post("/things", json={"name": "x"})).status_code == 409


@pytest.mark.real_commits
async def test_requests_to_the_server_are_concurrent(
    live_client: AsyncClient, database: Database
) -> None:
    names = [str(number) for number in range(10)]
    creations = (live_client.post("/things", json={"name": name}) for name in names)
    responses = await asyncio.gather(*creations)
    assert [response.status_code for response in responses] == [201] * len(names)
