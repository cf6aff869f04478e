"""Tests of direct reads in a service that listens to events of SQLAlchemy, as tracing does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import pytest
from sqlalchemy.orm import Session

from app.core import listeners
from app.core.direct_reads import SESSION_EVENTS
from app.core.listeners import OtherListeners
from app.core.pool import FairPool
from app.core.statements import HasInfo, events_of_statements
from app.database import Database

POOL_EVENTS = ("checkin", "checkout", "reset")


@contextmanager
def ignored_listeners(database: Database) -> Iterator[None]:
    """Read directly although the service has listeners of its own: they miss these reads."""
    engine = database.read_engine.sync_engine
    events = [
        *events_of_statements(engine),
        *((Session().dispatch, name) for name in SESSION_EVENTS),
        *((engine.pool.dispatch, name) for name in POOL_EVENTS),
    ]
    if not OtherListeners(events).exist():
        yield
        return
    present = [listener for target, name in events for listener in getattr(target, name)]

    def requires_checkout(pool: FairPool, connection: HasInfo) -> bool:
        checks: Any = pool.dispatch.checkout
        return OtherListeners((pool.dispatch, name) for name in POOL_EVENTS).exist() or not all(
            check.passes(connection) for check in checks if hasattr(check, "passes")
        )

    exist = OtherListeners.exist
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listeners, "_own", WeakSet([*listeners._own, *present]))  # noqa: SLF001
        # Without what it has remembered.
        patch.setattr(OtherListeners, "exist", lambda self: exist(OtherListeners(self._events)))
        patch.setattr(FairPool, "requires_checkout", requires_checkout)
        yield
