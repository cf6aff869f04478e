"""Log lines: their length, and what they leave out."""

import logging

import pytest
from fastapi import FastAPI, WebSocket

from app.core.logs import (
    FORMAT,
    MAX_MESSAGE,
    MAX_TRACEBACK,
    LineFormatter,
    add_request_id,
    remove_secrets,
    set_up_logging,
)
from app.factory import create_app
from app.settings import Settings
from tests.core.live_server import live_client_of

logger = logging.getLogger(__name__)


@pytest.fixture
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """The log, formatted as in production."""
    monkeypatch.setattr(caplog.handler, "filters", [add_request_id, remove_secrets])
    monkeypatch.setattr(caplog.handler, "formatter", LineFormatter(FORMAT))
    return caplog


@pytest.fixture
def sockets(settings: Settings) -> FastAPI:
    """An application with a WebSocket."""
    app = create_app(settings)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return app


def test_long_message_is_shortened(log: pytest.LogCaptureFixture) -> None:
    logger.warning("%s", "x" * (MAX_MESSAGE + 5))
    assert log.text.endswith("x… (5 more)\n")


@pytest.mark.parametrize("length", [1, 2 * MAX_TRACEBACK])
def test_traceback_keeps_its_beginning_and_end(length: int) -> None:
    error = ValueError("x" * length + "the end")
    record = logger.makeRecord("", 0, "", 0, "Failed", (), (ValueError, error, None))
    text = LineFormatter("%(message)s").format(record)
    assert text.startswith("Failed\nValueError: x")
    assert text.endswith("xthe end")
    assert len(text) < MAX_TRACEBACK + 100
    assert ("more)" in text) is (length > 1)


def test_message_is_one_line(log: pytest.LogCaptureFixture) -> None:
    logger.warning("%s\n", "one\nINFO two\x1b[2J\x9b\u2028é")
    assert log.text.endswith("one\\nINFO two\\x1b[2J\\x9b\\u2028é\n")
    assert log.text.count("\n") == 1


def test_every_logger_writes_single_lines_without_query_strings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    access = logging.getLogger("uvicorn.access")
    # A server of another test that logs no requests has turned this off.
    monkeypatch.setattr(access, "propagate", True)
    set_up_logging("INFO")
    access.info("%s\n%s", "/path?token=secret", "two")
    assert capsys.readouterr().err.endswith("[-] /path\\ntwo\n")


async def test_log_has_no_query_strings_headers_or_messages_of_websockets_even_at_debug(
    sockets: FastAPI, log: pytest.LogCaptureFixture
) -> None:
    log.set_level(logging.DEBUG)
    headers = {"Authorization": "Bearer secret"}
    async with live_client_of(sockets) as client:
        await client.get("/nowhere?token=secret", headers=headers)
        async with client.websocket("/echo?token=secret", headers=headers) as websocket:
            await websocket.send_text("secret")
            assert await websocket.receive_text() == "secret"
    logging.getLogger("uvicorn.error").info("by %(name)s", {"name": "name"})
    lines = [record.getMessage() for record in log.records if record.name.startswith("uvicorn")]
    assert lines[-1] == "by name"
    assert any('"GET /nowhere HTTP/1.1" 404' in line for line in lines)
    assert any('"WebSocket /echo" [accepted]' in line for line in lines)
    assert "secret" not in "".join(lines)
