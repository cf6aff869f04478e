"""Log lines: their formats, and their lengths."""

import json
import logging
from typing import Any

import pytest

from app.core.logs import FIELDS, MAX_MESSAGE, MAX_TRACEBACK, JsonFormatter, TextFormatter

FORMATTERS = [TextFormatter(), JsonFormatter()]
# What a client sends to add a line to the log.
FORGED = "one\n2026-01-01 00:00:00,000 INFO app [-] two\x1b[2J\x9b\u2028é\r\n"

logger = logging.getLogger("app.things")


def record_of(
    message: object, *arguments: object, error: BaseException | None = None, **fields: object
) -> logging.LogRecord:
    failed = (type(error), error, None) if error else None
    return logger.makeRecord(
        logger.name, logging.WARNING, "", 0, message, arguments, failed, extra=fields
    )


def parsed(record: logging.LogRecord) -> Any:
    return json.loads(JsonFormatter().format(record))


def test_both_formats_have_the_same_fields() -> None:
    fields: dict[str, Any] = {
        "method": "GET",
        "route": "/things/{id}",
        "status": 200,
        "duration": 0.5,
    }
    record = record_of("Read %d", 7, request_id="mine", **fields)
    text = TextFormatter().format(record)
    assert text.endswith(
        " WARNING app.things [mine] method=GET route=/things/{id} status=200 duration=0.5 Read 7"
    )
    line = parsed(record)
    assert line.pop("time").endswith("+00:00")
    first = {"level": "WARNING", "logger": "app.things", "request_id": "mine"}
    assert line == first | fields | {"message": "Read 7"}


def test_line_outside_of_requests_has_no_request() -> None:
    record = record_of("Started", request_id=None)
    assert TextFormatter().format(record).endswith(" WARNING app.things [-] Started")
    assert parsed(record).keys() == {"time", "level", "logger", "message"}


def test_field_of_your_own_is_in_both_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.logs.FIELDS", [*FIELDS, "order"])
    record = record_of("Paid", order={1}, other="not listed")
    assert TextFormatter().format(record).endswith(" [-] order={1} Paid")
    assert parsed(record)["order"] == "{1}"
    assert "other" not in parsed(record)


def test_message_and_fields_cannot_forge_a_line() -> None:
    text = TextFormatter().format(record_of(f"{FORGED}%s", FORGED, route=FORGED))
    assert len(text.splitlines()) == 1
    assert text.endswith(r" two\x1b[2J\x9b\u2028é")
    assert text.isprintable()


def test_message_cannot_forge_a_field() -> None:
    line = TextFormatter().format(record_of("status=200", status=500))
    assert line.index("status=500") < line.index("status=200")


def test_traceback_cannot_forge_a_line() -> None:
    record = record_of("Failed", error=ValueError(FORGED))
    first, *others = TextFormatter().format(record).splitlines()
    assert first.endswith("Failed")
    assert others[0] == "  ValueError: one"
    assert all(line.startswith("  ") and line.isprintable() for line in others)


def test_line_of_json_is_one_line_and_keeps_line_breaks() -> None:
    record = record_of(FORGED + "\ud800", error=ValueError(FORGED))
    text = JsonFormatter().format(record)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert parsed(record)["message"] == f"{FORGED}\ud800"
    assert parsed(record)["exception"] == f"ValueError: {FORGED}"


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_long_message_is_shortened(formatter: logging.Formatter) -> None:
    text = formatter.format(record_of("%s", "x" * (MAX_MESSAGE + 5)))
    assert "x… (5 more)" in text.replace("\\u2026", "…")


@pytest.mark.parametrize("length", [1, 2 * MAX_TRACEBACK])
def test_traceback_keeps_its_beginning_and_end(length: int) -> None:
    record = record_of("Failed", error=ValueError("x" * length + "the end"))
    text = TextFormatter().format(record)
    assert "Failed\n  ValueError: x" in text
    assert text.endswith("xthe end")
    assert len(text) < MAX_TRACEBACK + 200
    assert ("more)" in text) is (length > 1)


def test_stack_is_in_the_line() -> None:
    record = logger.makeRecord(
        "", 0, "", 0, "Here", (), None, sinfo="Stack (most recent call last):"
    )
    assert parsed(record)["exception"] == "Stack (most recent call last):"


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_line_with_wrong_arguments_is_logged_without_them(formatter: logging.Formatter) -> None:
    text = formatter.format(record_of("%d rows", "secret"))
    assert "%d rows (logged with wrong arguments)" in text
    assert "secret" not in text


def test_traceback_that_another_handler_has_formatted_is_not_reused() -> None:
    record = record_of("Failed", error=ValueError(FORGED))
    logging.Formatter().format(record)
    assert all(line[:2] == "  " for line in TextFormatter().format(record).splitlines()[1:])
