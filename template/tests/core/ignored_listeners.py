"""Tests of direct reads in a service that listens to events of SQLAlchemy, as tracing does."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import pytest
from sqlalchemy.orm import Session

from app.core import listeners
from app.core.direct_reads import SESSION_EVENTS
from app.core.listeners import OtherListeners
from app.core.statements import events_of_statements
from app.database import Database


@contextmanager
def ignored_listeners(database: Database) -> Iterator[None]:
    """Read directly although the service has listeners of its own: they miss these reads."""
    engine = database.read_engine.sync_engine
    events = [
        *events_of_statements(engine),
        *((Session().dispatch, name) for name in SESSION_EVENTS),
        *((engine.pool.dispatch, name) for name in ("checkin", "checkout", "reset")),
    ]
    if not OtherListeners(events).exist():
        yield
        return
    present = [listener for target, name in events for listener in getattr(target, name)]
    exist = OtherListeners.exist
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listeners, "_own", WeakSet([*listeners._own, *present]))  # noqa: SLF001
        # Without what it has remembered.
        patch.setattr(OtherListeners, "exist", lambda self: exist(OtherListeners(self._events)))
        yield
