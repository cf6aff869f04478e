"""Events of SQLAlchemy: which listeners are this package's own."""

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

from sqlalchemy import Engine, event

_own: WeakSet[Callable[..., Any]] = WeakSet()


def listen(engine: Engine, name: str, listener: Callable[..., Any]) -> None:
    """Add a listener whose work is also done for statements that do not pass through the engine."""
    event.listen(engine, name, listener)
    _own.add(listener)


def has_others(listeners: Iterable[Callable[..., Any]]) -> bool:
    """Return whether there is a listener that `listen` has not added."""
    return any(listener not in _own for listener in listeners)
