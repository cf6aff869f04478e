"""A fixture for tests that set up logging."""

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

LOGGERS = ("", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture
def logging_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the set-up of logging after the test.

    Set logging up in the test itself: the standard error of a fixture is another one.
    """
    for logger in map(logging.getLogger, LOGGERS):
        for name in ("handlers", "propagate"):
            monkeypatch.setattr(logger, name, getattr(logger, name))
    levels = {logger: logger.level for logger in map(logging.getLogger, LOGGERS)}
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    logging.captureWarnings(False)
    for logger, level in levels.items():
        logger.setLevel(level)
