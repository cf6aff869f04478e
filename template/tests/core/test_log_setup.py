"""The set-up of logging: what writes lines, and which."""

import json
import logging
import sys
import threading
import warnings
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket

from app.core.log_setup import failure, is_new, set_up_logging
from app.factory import create_app
from app.settings import Settings
from tests.core.live_server import live_client_of

logger = logging.getLogger(__name__)


class Unraisable:
    def __del__(self) -> None:
        raise RuntimeError("unraisable")


def fail() -> None:
    raise RuntimeError("in a thread")


def json_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log since the last call."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_level_is_that_of_all_lines(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("WARNING", "text")
    for name in (__name__, "uvicorn.error", "uvicorn.access", "alembic", "another"):
        logging.getLogger(name).info("Not shown")
    logger.warning("Shown")
    assert capsys.readouterr().err.endswith(" WARNING tests.core.test_log_setup [-] Shown\n")


def test_uvicorn_logs_in_the_same_format_and_no_requests(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("uvicorn", "uvicorn.access"):  # as plain uvicorn
        logging.getLogger(name).handlers = [logging.StreamHandler()]
        logging.getLogger(name).propagate = False
    set_up_logging("INFO", "text")
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("uvicorn.access").info("GET /?token=secret")
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(" INFO uvicorn.error [-] Started")


def test_warnings_are_lines_of_the_log(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        set_up_logging("INFO", "json")
        warnings.warn("old\nstyle", stacklevel=1)
        logging.captureWarnings(False)  # before the hook of pytest comes back
    [line] = json_lines(capsys)
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "UserWarning: old\nstyle" in line["message"]


def test_unhandled_exceptions_are_lines_of_the_log(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("INFO", "json")
    error = RuntimeError("at the end")
    sys.excepthook(RuntimeError, error, None)
    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    threading.excepthook(threading.ExceptHookArgs([RuntimeError, error, None, None]))
    Unraisable()
    lines = json_lines(capsys)
    assert [line["message"].partition(" in <")[0] for line in lines] == [
        "Unhandled exception",
        "Unhandled exception in worker",
        "Unhandled exception in a thread",
        "Exception ignored",
    ]
    assert lines[0]["exception"] == "RuntimeError: at the end"
    assert lines[1]["exception"].endswith("RuntimeError: in a thread")
    assert lines[3]["exception"].endswith("RuntimeError: unraisable")


def test_interrupt_of_the_keyboard_is_no_line_of_the_log(
    logging_state: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_logging("INFO", "json")
    handled: list[object] = []
    monkeypatch.setattr(sys, "__excepthook__", lambda *error: handled.append(error))
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert len(handled) == 1
    assert json_lines(capsys) == []


def test_failure_is_a_line_of_a_json_log(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("INFO", "json")
    assert failure("PORT: wrong.\nCorrect it.").code == 1
    [line] = json_lines(capsys)
    assert (line["level"], line["message"]) == ("CRITICAL", "PORT: wrong.\nCorrect it.")


def test_failure_is_a_sentence_beside_a_text_log(
    logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("INFO", "text")
    assert failure("PORT: wrong.").code == "PORT: wrong."
    assert capsys.readouterr().err == ""


async def test_log_has_no_query_strings_headers_or_messages_even_at_debug(
    settings: Settings, logging_state: None, capsys: pytest.CaptureFixture[str]
) -> None:
    app: FastAPI = create_app(settings)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    for log_format in ("text", "json"):
        set_up_logging("DEBUG", log_format)
        headers = {"Authorization": "Bearer secret", "Cookie": "session=secret"}
        async with live_client_of(app) as client:
            await client.post("/nowhere?token=secret", headers=headers, json={"password": "secret"})
            async with client.websocket("/echo?token=secret", headers=headers) as websocket:
                await websocket.send_text("secret")
                assert await websocket.receive_text() == "secret"
        lines = capsys.readouterr().err.splitlines()
        log = "\n".join(line for line in lines if "http" not in line)  # the log of the client
        assert "POST /nowhere from 127.0.0.1" in log
        assert "WebSocket /echo from 127.0.0.1" in log
        assert "secret" not in log
        assert log.count("/nowhere") == 1
        assert "[accepted]" not in log
        assert "connection open" not in log


def test_other_lines_of_uvicorn_are_logged() -> None:
    record = logger.makeRecord("uvicorn.error", 0, "", 0, "Started on %s", ("%",), None)
    assert is_new(record)
