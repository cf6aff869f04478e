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
from app.settings import Settings


@contextmanager
def ignored_listeners(database: Database) -> Iterator[None]:
    """Read directly although the service has listeners of its own: they miss these reads."""
    if not OtherListeners(events_of(database)).exist():
        yield
        return
    ignored = WeakSet([*listeners._own, *listeners_of(database)])  # noqa: SLF001
    exist, create = OtherListeners.exist, Database.__init__

    def create_and_ignore(created: Database, settings: Settings) -> None:
        create(created, settings)
        ignored.update(listeners_of(created))

    def accepts(pool: FairPool, connection: HasInfo) -> bool:
        checks: Any = pool.dispatch.checkout
        return all(check.passes(connection) for check in checks if hasattr(check, "passes"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listeners, "_own", ignored)
        # Without what it has remembered.
        patch.setattr(OtherListeners, "exist", lambda self: exist(OtherListeners(self.events)))
        patch.setattr(Database, "__init__", create_and_ignore)
        patch.setattr(FairPool, "accepts", accepts)
        yield


def events_of(database: Database) -> list[tuple[Any, str]]:
    """Return the events that direct reads miss."""
    engine = database.read_engine.sync_engine
    return [
        *events_of_statements(engine),
        *((Session().dispatch, name) for name in SESSION_EVENTS),
        *((engine.pool.dispatch, name) for name in ("checkin", "checkout", "reset")),
    ]


def listeners_of(database: Database) -> list[Any]:
    """Return the listeners to these events."""
    return [each for target, name in events_of(database) for each in getattr(target, name)]
